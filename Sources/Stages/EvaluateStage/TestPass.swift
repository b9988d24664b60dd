import Artifacts
import Diagnostics
import TempNet
import Torch
import Weights

/// A pass of the model over the test split. All policies see the same logits.
struct TestPass {
  let forward: Forward
  let policies: [NamedPolicy]
  /// Computes the policies' temperatures.
  let temperatures: FoldedPolicies
  let file: ScoreFile
  /// The file that states how far the pass is.
  let checkpoint: String
  let checkpointInterval: Duration

  /// Scores what an earlier run has not; saves and throws `.tryAgain` when an interruption is asked for.
  func run() throws {
    precondition(temperatures.count == policies.count)
    let total = forward.windows.count
    let size = forward.windowsPerBatch
    let pass = try PassProgress(checkpoint, of: (total + size - 1) / size, saving: .time(checkpointInterval))
    let writer = pass.done == 0 ? try file.create() : try file.open()
    let progress = Progress("test", unit: "windows", total: total, alreadyDone: min(total, pass.done * size))
    try pass.advance(synchronise: writer.synchronise) { batch in
      let end = min((batch + 1) * size, total)
      try score(batch * size..<end, writer)
      progress.update(end)
    }
    progress.finish()
    try writer.finish()
  }

  private func score(_ windows: Range<Int>, _ writer: SafetensorsStreamWriter) throws {
    var token = forward.windows[windows.lowerBound].scored.lowerBound
    try forward.run(windows) { piece in
      let (logits, labels) = (piece.logits, piece.labels)
      try writer.write(rows: labels.to(.int32), of: "label", at: token)
      try writer.write(rows: logits.argmax(-1).equal(labels).to(.uint8), of: "correct", at: token)
      try writer.write(rows: TemperedStatistics(logits: logits).entropy.to(.float32), of: "entropy", at: token)
      for (policy, temperature) in zip(policies, temperatures(logits, hidden: piece.hidden)) {
        let prediction = TemperedPrediction(logits: logits, labels: labels, tau: temperature)
        try writer.write(rows: temperature, of: "temperature.\(policy.name)", at: token)
        try writer.write(rows: prediction.crossEntropy, of: "cross_entropy.\(policy.name)", at: token)
        try writer.write(rows: prediction.confidence, of: "confidence.\(policy.name)", at: token)
        try writer.write(rows: prediction.brier, of: "brier.\(policy.name)", at: token)
      }
      token += labels.size(0)
    }
  }
}
