import Diagnostics
import Files
import LanguageEvaluation
import LanguageModels
import TempNet
import Torch

/// One pass of the model over a task's sequences, in which all policies see the same logits.
struct TaskPass {
  let name: String
  let model: LanguageModel
  let policies: [String]
  /// What computes the policies' temperatures.
  let temperatures: FoldedPolicies
  let sequences: [ScoredSequence]
  let plan: ScoringPlan
  let endOfText: Int32
  /// What was scored so far, a line for each sequence.
  let log: String
  let saveInterval: Duration

  /// Scores what an earlier run has not; saves and throws `.tryAgain` when an interruption is asked for.
  ///
  /// - Returns: in the order of the sequences.
  func run() throws -> [SequenceScore] {
    precondition(temperatures.count == policies.count)
    var (scores, bytes, done) = try finished()
    let batches = plan.batches.map { TaskBatch($0, of: sequences) }
    let writer = try bytes == 0 ? FileWriter(log) : FileWriter(continuing: log, after: bytes)
    var tokens = batches[..<done].reduce(0) { $0 + $1.tokens }
    let progress = Progress(
      name, unit: "tokens", total: batches.reduce(0) { $0 + $1.tokens }, alreadyDone: tokens)
    var lastSaved = ContinuousClock.now
    while done < batches.count {
      for (sequence, score) in try score(batches[done]) {
        scores[sequence] = score
        try writer.write(score.line(sequence))
      }
      tokens += batches[done].tokens
      done += 1
      progress.update(tokens)
      try writer.flush()
      let isAsked = Interruption.isRequested
      if isAsked || done == batches.count || ContinuousClock.now - lastSaved >= saveInterval {
        try writer.synchronise()
        lastSaved = .now
      }
      if isAsked && done < batches.count { throw Interruption.failure }
    }
    progress.finish()
    try writer.close()
    return scores.map { $0! }
  }

  /// What the log holds of whole batches; anything after them is done again, as it would have been done at first.
  private func finished() throws -> (scores: [SequenceScore?], bytes: Int, batches: Int) {
    var scores = [SequenceScore?](repeating: nil, count: sequences.count)
    guard Files.exists(log) else { return (scores, 0, 0) }
    let content = try Files.read(log)
    var (bytes, batches) = (0, 0)
    var lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()[...]
    for batch in plan.batches {
      let members = batch.flatMap(\.members)
      guard members.count <= lines.count else { break }
      let read = lines.prefix(members.count).map { SequenceScore.parse($0, policies: policies.count) }
      guard zip(read, members).allSatisfy({ $0?.sequence == $1.sequence }) else { break }
      for case (let sequence, let score)? in read { scores[sequence] = score }
      bytes += lines.prefix(members.count).reduce(0) { $0 + $1.count + 1 }
      batches += 1
      lines = lines.dropFirst(members.count)
    }
    return (scores, bytes, batches)
  }

  private func score(_ batch: TaskBatch) throws -> [(sequence: Int, SequenceScore)] {
    try withoutGradients {
      let nodes = try NodeScores(batch, model: model, temperatures: temperatures, endOfText: endOfText)
      var prediction = 0
      return batch.sequences.map { sequence, predictions in
        var score = SequenceScore(policies: policies.count)
        score.tokens = predictions.count
        for wanted in predictions {
          score.isGreedy = score.isGreedy && nodes.likeliest[wanted.node] == Int64(wanted.target)
          score.entropy += nodes.entropies[wanted.node]
          for policy in policies.indices {
            score.logLikelihoods[policy] += Double(nodes.logLikelihoods[policy][prediction])
            score.temperatures[policy] += Double(nodes.temperatures[policy][wanted.node])
          }
          prediction += 1
        }
        return (sequence, score)
      }
    }
  }
}

/// What the logits of a batch come to.
private struct NodeScores {
  /// Of each node: the likeliest token, and the entropy at temperature 1 in nats.
  private(set) var likeliest: [Int64] = []
  private(set) var entropies: [Double] = []
  /// By policy, of each node.
  private(set) var temperatures: [[Float]] = []
  /// By policy, of each prediction in the order of the batch's sequences.
  private(set) var logLikelihoods: [[Float]] = []

  init(_ batch: TaskBatch, model: LanguageModel, temperatures policies: FoldedPolicies, endOfText: Int32) throws {
    let predictions = batch.sequences.flatMap(\.predictions)
    let byNode = predictions.indices.sorted { (predictions[$0].node, $0) < (predictions[$1].node, $1) }
    temperatures = [[Float]](repeating: [], count: policies.count)
    logLikelihoods = [[Float]](repeating: [Float](repeating: 0, count: predictions.count), count: policies.count)
    var next = byNode[...]
    try model.forEachPiece(of: batch.hiddenStates(model, endOfText: endOfText)) { hidden, logits, rows in
      // A batch over a large vocabulary takes a minute; what is begun is done again later, as it would have been done now.
      try Interruption.check()
      let here = next.prefix { predictions[$0].node < rows.upperBound }
      next = next.dropFirst(here.count)
      let owners = Tensor(here.map { predictions[$0].node - rows.lowerBound }).to(logits.device)
      let width = logits.size(1)
      let places = here.map { (predictions[$0].node - rows.lowerBound) * width + Int(predictions[$0].target) }
      let targets =
        (logits.reshaped([-1]).selected(0, indices: Tensor(places).to(logits.device))
        - logits.maximum(-1).selected(0, indices: owners)).to(.float64)
      likeliest += logits.argmax(-1).integers
      entropies += TemperedStatistics(logits: logits).entropy.doubles
      for (index, tau) in policies(logits, hidden: hidden).enumerated() {
        // log softmax(z/τ) of the targets alone: several may be wanted of one prediction.
        let partition = TemperedStatistics(logits: logits, tau: tau).logPartition
        let values = targets / tau.selected(0, indices: owners).to(.float64) - partition.selected(0, indices: owners)
        for (place, value) in zip(here, values.floats) { logLikelihoods[index][place] = value }
        temperatures[index] += tau.floats
      }
    }
  }
}
