import Artifacts
import Diagnostics
import Files
import LanguageEvaluation
import ScoreStage
import TempNet
import Torch

/// A pass over the records of a task. All policies see the same records.
struct TaskPass {
  let name: String
  let records: any TaskRecordPasses
  let policies: [String]
  /// Computes the policies' temperatures.
  let temperatures: RecordedPolicies
  let sequenceCount: Int
  /// The scores so far, a line for each sequence; `LOG.pass.json` states how far the pass is.
  let log: String
  let saveInterval: Duration

  /// Scores what an earlier run has not; saves and throws `.tryAgain` when an interruption is asked for.
  ///
  /// - Returns: in the order of the sequences.
  func run() throws -> [SequenceScore] {
    precondition(temperatures.count == policies.count)
    let pass = try PassProgress("\(log).pass.json", of: records.passCount, saving: .time(saveInterval))
    var (scores, bytes) = try finished(pass.done)
    let writer = try bytes == 0 ? FileWriter(log) : FileWriter(continuing: log, after: bytes)
    let progress = Progress(name, unit: "tokens", total: records.rows, alreadyDone: records.offsets[pass.done])
    try pass.advance(synchronise: writer.synchronise) { index in
      for (sequence, score) in try score(index) {
        scores[sequence] = score
        try writer.write(score.line(sequence))
      }
      progress.update(records.offsets[index + 1])
    }
    progress.finish()
    try writer.close()
    guard let missing = scores.firstIndex(of: nil) else { return scores.map { $0! } }
    throw Failure(.badData, "the records of the task \(name) lack sequence \(missing)")
  }

  /// The scores that the log holds of the first passes, and the length of their lines.
  private func finished(_ passes: Int) throws -> (scores: [SequenceScore?], bytes: Int) {
    var scores = [SequenceScore?](repeating: nil, count: sequenceCount)
    let expected = try (0..<passes).flatMap { try Self.runs(records.sequences(ofPass: $0)).map(\.sequence) }
    guard !expected.isEmpty else { return (scores, 0) }
    let lines = try Files.read(log).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    let read = lines.prefix(expected.count).map { SequenceScore.parse($0, policies: policies.count) }
    guard read.map({ $0?.sequence }) == expected.map({ Optional($0) }) else {
      throw Failure(.badData, "does not hold the scores of the work so far", at: log)
        .ofUnfinishedWork(in: Files.folder(of: Files.folder(of: log)))
    }
    for case (let sequence, let score)? in read { scores[sequence] = score }
    return (scores, lines.prefix(expected.count).reduce(0) { $0 + $1.count + 1 })
  }

  /// The rows of each sequence of a pass.
  private static func runs(_ sequences: [Int]) -> [(sequence: Int, rows: Range<Int>)] {
    var runs: [(sequence: Int, rows: Range<Int>)] = []
    for (row, sequence) in sequences.enumerated() {
      if let last = runs.last, last.sequence == sequence {
        runs[runs.count - 1].rows = last.rows.lowerBound..<row + 1
      } else {
        runs.append((sequence, row..<row + 1))
      }
    }
    return runs
  }

  private func score(_ index: Int) throws -> [(sequence: Int, SequenceScore)] {
    let rows = try records.records(ofPass: index)
    let isCorrect = rows.isCorrect.to(.int64).integers
    let entropies = rows.entropy.doubles
    let byPolicy = try zip(policies, temperatures(rows)).map { name, tau in
      let prediction = try Failure.locating("policy \(name)") { try RecordedPrediction(rows, tau: tau) }
      return (temperatures: tau.floats, losses: prediction.crossEntropy.floats)
    }
    return try Self.runs(records.sequences(ofPass: index)).map { sequence, rows in
      var score = SequenceScore(policies: policies.count)
      score.tokens = rows.count
      for row in rows {
        score.isGreedy = score.isGreedy && isCorrect[row] == 1
        score.entropy += entropies[row]
        for (policy, values) in byPolicy.enumerated() {
          score.logLikelihoods[policy] -= Double(values.losses[row])
          score.temperatures[policy] += Double(values.temperatures[row])
        }
      }
      return (sequence, score)
    }
  }
}
