import Artifacts
import Diagnostics
import Files
import LanguageEvaluation
import LanguageModels
import TempNet
import TokenWindows
import Torch

/// A pass of the model over a task's sequences. All policies see the same logits.
struct TaskPass {
  let name: String
  let model: LanguageModel
  let policies: [String]
  /// Computes the policies' temperatures.
  let temperatures: FoldedPolicies
  let sequences: [ScoredSequence]
  let plan: ScoringPlan
  let endOfText: Int32
  /// The scores so far, a line for each sequence; `LOG.pass.json` states how far the pass is.
  let log: String
  let saveInterval: Duration

  /// Scores what an earlier run has not; saves and throws `.tryAgain` when an interruption is asked for.
  ///
  /// - Returns: in the order of the sequences.
  func run() throws -> [SequenceScore] {
    precondition(temperatures.count == policies.count)
    let pass = try PassProgress("\(log).pass.json", of: plan.batches.count, saving: .time(saveInterval))
    var (scores, bytes) = try finished(pass.done)
    let batches = plan.batches.map { TaskBatch($0, of: sequences) }
    let writer = try bytes == 0 ? FileWriter(log) : FileWriter(continuing: log, after: bytes)
    var tokens = batches[..<pass.done].reduce(0) { $0 + $1.tokens }
    let progress = Progress(
      name, unit: "tokens", total: batches.reduce(0) { $0 + $1.tokens }, alreadyDone: tokens)
    try pass.advance(synchronise: writer.synchronise) { index in
      for (sequence, score) in try score(batches[index]) {
        scores[sequence] = score
        try writer.write(score.line(sequence))
      }
      tokens += batches[index].tokens
      progress.update(tokens)
    }
    progress.finish()
    try writer.close()
    return scores.map { $0! }
  }

  /// The scores that the log holds of the first batches, and the length of their lines.
  private func finished(_ batches: Int) throws -> (scores: [SequenceScore?], bytes: Int) {
    var scores = [SequenceScore?](repeating: nil, count: sequences.count)
    let members = plan.batches[..<batches].flatMap { $0.flatMap(\.members) }
    guard !members.isEmpty else { return (scores, 0) }
    let lines = try Files.read(log).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    let read = lines.prefix(members.count).map { SequenceScore.parse($0, policies: policies.count) }
    guard read.map({ $0?.sequence }) == members.map({ Optional($0.sequence) }) else {
      throw Failure(.badData, "does not hold the scores of the work so far", at: log)
        .ofUnfinishedWork(in: Files.folder(of: Files.folder(of: log)))
    }
    for case (let sequence, let score)? in read { scores[sequence] = score }
    return (scores, lines.prefix(members.count).reduce(0) { $0 + $1.count + 1 })
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

/// The measurements of a batch's logits.
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
      // A batch over a large vocabulary takes a minute: a stop does not wait for its end, and a later run repeats it.
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
