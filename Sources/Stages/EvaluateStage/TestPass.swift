import Artifacts
import Diagnostics
import ScoreStage
import TempNet
import Torch
import Weights

/// A pass over the records of the test split. All policies see the same records.
struct TestPass {
  let records: any TextRecordPasses
  let policies: [NamedPolicy]
  /// Computes the policies' temperatures.
  let temperatures: RecordedPolicies
  let file: ScoreFile
  /// Whether this pass creates the file, and writes what all policies of the evaluated model share.
  let isFirst: Bool
  /// The file that states how far the pass is.
  let checkpoint: String
  let checkpointInterval: Duration

  /// Scores what an earlier run has not; saves and throws `.tryAgain` when an interruption is asked for.
  func run() throws {
    precondition(temperatures.count == policies.count && records.rows == file.tokens)
    let pass = try PassProgress(checkpoint, of: records.passCount, saving: .time(checkpointInterval))
    let writer = try pass.done == 0 && isFirst ? file.create() : file.open()
    let progress = Progress("test", unit: "tokens", total: records.rows, alreadyDone: records.offsets[pass.done])
    try pass.advance(synchronise: writer.synchronise) { index in
      try score(index, writer)
      progress.update(records.offsets[index + 1])
    }
    progress.finish()
    try writer.finish()
  }

  private func score(_ index: Int, _ writer: SafetensorsStreamWriter) throws {
    let (documents, token) = (try records.documents(ofPass: index), records.offsets[index])
    let records = try records.records(ofPass: index)
    let correct = records.isCorrect.to(.uint8)
    let entropy = records.entropy.to(.float32)
    if isFirst {
      try writer.write(rows: records.label.to(.int32), of: "label", at: token)
      try writer.write(rows: correct, of: "correct", at: token)
      try writer.write(rows: entropy, of: "entropy", at: token)
      try writer.write(rows: documents.map(Int32.init), of: "document", at: token)
    }
    for (policy, temperature) in zip(policies, temperatures(records)) {
      let prediction = try Failure.locating("policy \(policy.name)") {
        try RecordedPrediction(records, tau: temperature)
      }
      try writer.write(rows: temperature, of: "temperature.\(policy.name)", at: token)
      try writer.write(rows: prediction.crossEntropy.to(.float32), of: "cross_entropy.\(policy.name)", at: token)
      try writer.write(rows: prediction.confidence.to(.float32), of: "confidence.\(policy.name)", at: token)
      try writer.write(rows: prediction.brier.to(.float32), of: "brier.\(policy.name)", at: token)
      guard policy.isOfOtherModel else { continue }
      try writer.write(rows: correct, of: "correct.\(policy.name)", at: token)
      try writer.write(rows: entropy, of: "entropy.\(policy.name)", at: token)
    }
  }
}
