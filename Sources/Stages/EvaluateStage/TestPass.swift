import Diagnostics
import Files
import JSON
import TempNet
import Torch
import Weights

/// One pass of the model over the test split, in which all policies see the same logits.
struct TestPass {
  let forward: Forward
  let policies: [NamedPolicy]
  /// What computes the policies' temperatures.
  let temperatures: FoldedPolicies
  let file: ScoreFile
  /// Where the number of finished windows is kept.
  let checkpoint: String
  let checkpointInterval: Duration

  /// Scores what an earlier run has not; saves and throws `.tryAgain` when an interruption is asked for.
  func run() throws {
    precondition(temperatures.count == policies.count)
    let total = forward.windows.count
    var done = try finishedWindows()
    let writer = done == nil ? try file.create() : try file.open()
    if done == nil { try save(0, writer) }
    let progress = Progress("test", unit: "windows", total: total, alreadyDone: done ?? 0)
    var lastSaved = ContinuousClock.now
    while case let start = done ?? 0, start < total {
      let end = min(start + forward.windowsPerBatch, total)
      try score(start..<end, writer)
      done = end
      progress.update(end)
      let isAsked = Interruption.isRequested
      if isAsked || end == total || ContinuousClock.now - lastSaved >= checkpointInterval {
        try save(end, writer)
        lastSaved = .now
      }
      if isAsked && end < total { throw Interruption.failure }
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

  /// How many windows an earlier run brought to the disk; nil if none began.
  private func finishedWindows() throws -> Int? {
    guard Files.exists(checkpoint) else { return nil }
    var members = try JSONFields(
      try JSON(parsing: Files.read(checkpoint), source: checkpoint, for: .strict), source: checkpoint)
    let windows = try members.integer("windows")
    try members.finish()
    guard (0...forward.windows.count).contains(windows) else {
      throw Failure(.badData, "\(windows) windows are more than there are", at: checkpoint)
    }
    return windows
  }

  private func save(_ windows: Int, _ writer: SafetensorsStreamWriter) throws {
    try writer.synchronise()
    try AtomicFile.write((["windows": .integer(windows)] as JSON).pretty, to: checkpoint)
  }
}
