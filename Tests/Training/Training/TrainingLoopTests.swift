import Artifacts
import Diagnostics
import Files
import Foundation
import JSON
import TestSupport
import Testing
import Torch
import TrainingOptions

@testable import Training

extension TemporaryFolder {
  func files() throws -> TrainingFiles {
    try Files.makeFolder(self("checkpoints"))
    return TrainingFiles(
      metrics: self("metrics.jsonl"), events: self(EventFile.fileName), checkpoints: self("checkpoints"))
  }
}

@Suite(.serialized) struct TrainingLoopTests {
  private static let steps = 23
  private var settings: LoopSettings {
    LoopSettings(
      steps: Self.steps, seed: 9, validationInterval: 5, logInterval: 3,
      run: RunOptions(checkpointInterval: 4, keptCheckpoints: 2))
  }
  private let interrupted = Failure(.tryAgain, "stop")

  private struct Outcome: Equatable {
    let result: TrainingResult
    let parameters: [UInt8]
    let metrics: [UInt8]
    let events: [UInt8]
  }

  /// Runs in one go, or stops whenever `stops` says so for the number of batches done by one process.
  private func outcome(
    _ settings: LoopSettings, in folder: TemporaryFolder = try! TemporaryFolder(), stopsAfter batches: [Int] = []
  ) throws -> Outcome {
    let files = try folder.files()
    for limit in batches {
      let task = ToyTask(steps: settings.steps)
      let stop = StopRules { task.batchCount >= limit ? interrupted : nil }
      #expect(throws: interrupted) {
        try TrainingLoop(task, settings: settings, files: files, stop: stop).run()
      }
    }
    let task = ToyTask(steps: settings.steps)
    let result = try TrainingLoop(task, settings: settings, files: files, stop: StopRules { nil }).run()
    return Outcome(
      result: result, parameters: task.bytes, metrics: try Files.read(files.metrics),
      events: try Files.read(files.events))
  }

  @Test func `two runs give the same bytes`() throws {
    #expect(try outcome(settings) == outcome(settings))
  }

  @Test(arguments: [[0], [2], [8, 10, 12], [20], [46]])
  func `a run that was stopped and continued equals one that was not`(batches: [Int]) throws {
    #expect(try outcome(settings, stopsAfter: batches) == outcome(settings))
  }

  @Test func `a run stopped while it validates equals one that was not`() throws {
    let folder = try TemporaryFolder()
    let files = try folder.files()
    for validation in 1...3 {
      let task = ToyTask(steps: Self.steps)
      var validations = 0
      let stop = StopRules { validations >= validation && task.batchCount > 0 ? interrupted : nil }
      task.onValidation = { validations += 1 }
      #expect(throws: interrupted) { try TrainingLoop(task, settings: settings, files: files, stop: stop).run() }
    }
    #expect(try outcome(settings, in: folder) == outcome(settings))
  }

  /// As after `kill -9`: the logs are longer than the newest checkpoint says.
  @Test func `logs that ran ahead of the newest checkpoint are cut back`() throws {
    let folder = try TemporaryFolder()
    let files = try folder.files()
    let task = ToyTask(steps: Self.steps)
    let stop = StopRules { task.batchCount >= 28 ? interrupted : nil }
    #expect(throws: interrupted) { try TrainingLoop(task, settings: settings, files: files, stop: stop).run() }
    for path in [files.metrics, files.events] {
      let handle = try #require(FileHandle(forWritingAtPath: path))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data("half a li".utf8))
    }
    #expect(try outcome(settings, in: folder) == outcome(settings))
  }

  /// Fails where a lane's gradients are lost or added twice, or where generators are seeded by a batch's place in its lane.
  @Test func `two batches dealt to two lanes give the bytes that one lane gives`() throws {
    var dealt = settings
    dealt.lanes = 2
    #expect(try outcome(dealt) == outcome(settings))
    dealt.lanes = 3
    #expect { try outcome(dealt) } throws: { "\($0)".contains("2 micro-batches, too few for 3 lanes") }
  }

  @Test func `every step is prepared once, by its number`() throws {
    let task = ToyTask(steps: Self.steps)
    let folder = try TemporaryFolder()
    _ = try TrainingLoop(task, settings: settings, files: folder.files(), stop: StopRules { nil }).run()
    #expect(task.begunSteps == Array(0..<Self.steps))
  }

  @Test func `only the newest checkpoints and the best one stay`() throws {
    let folder = try TemporaryFolder()
    let outcome = try outcome(settings, in: folder)
    let steps = try CheckpointFolder("\(folder.path)/checkpoints", keep: 2).steps()
    #expect(Set(steps) == Set([20, 23, outcome.result.best.step]))
  }

  @Test func `the result is the best step's or the last step's, as asked for`() throws {
    var settings = settings
    // Rates that overshoot: the lowest validation comes before the end.
    settings.steps = 40
    let best = try outcome(settings)
    settings.selection = .last
    let last = try outcome(settings)
    #expect(best.result.selected == best.result.best && last.result.selected == last.result.last)
    #expect(best.result.best == last.result.best && best.result.last == last.result.last)
    let lowest = try #require(best.result.best.metrics["loss"])
    #expect(lowest <= (best.result.last.metrics["loss"] ?? 0))
    #expect((best.parameters == last.parameters) == (best.result.best.step == 40))
  }

  @Test func `metrics are means since the line before, with rates and norms of each group`() throws {
    let outcome = try outcome(settings)
    let lines = String(decoding: outcome.metrics, as: UTF8.self).split(separator: "\n")
    let rows = try lines.map { try JSON(parsing: Array($0.utf8), source: "line") }
    let training = rows.filter { $0["training"] != nil }
    #expect(training.compactMap { $0["step"]?.intValue } == [3, 6, 9, 12, 15, 18, 21, 23])
    #expect(rows.filter { $0["validation"] != nil }.compactMap { $0["step"]?.intValue } == [5, 10, 15, 20, 23])
    #expect(training[0]["learning_rate"]?["matrix"]?.doubleValue == 0.05)
    #expect(training[0]["learning_rate"]?["rest"]?.doubleValue == 0.01)
    #expect(training[0]["training"]?.objectValue.map { Array($0.keys) } == ["loss", "square"])
    #expect((training[0]["gradient_norm"]?["matrix"]?.doubleValue ?? 0) > 0)
  }

  @Test func `a time limit saves and ends with 75, and never publishes`() throws {
    let folder = try TemporaryFolder()
    let task = ToyTask(steps: Self.steps)
    #expect {
      try TrainingLoop(task, settings: settings, files: folder.files(), stop: .standard(timeLimit: 0)).run()
    } throws: { ($0 as? Failure)?.status == .tryAgain && "\($0)".contains("time limit") }
    #expect(try CheckpointFolder("\(folder.path)/checkpoints", keep: 2).steps() == [0])
  }

  @Test func `a gradient that is not finite is named with its step`() throws {
    let task = ToyTask(steps: Self.steps)
    task.poisonedStep = 6
    let folder = try TemporaryFolder()
    #expect {
      try TrainingLoop(task, settings: settings, files: folder.files(), stop: StopRules { nil }).run()
    } throws: { error in
      "\(error)".contains("step 6: gradient norm of rest is inf")
        && "\(error)".contains("the gradient of bias (4 of 4 elements)")
    }
  }

  @Test func `a checkpoint of other shapes is refused with the tensor's name`() throws {
    let folder = try TemporaryFolder()
    _ = try outcome(settings, in: folder)
    let path = try #require(try CheckpointFolder("\(folder.path)/checkpoints", keep: 2).latest()).path
    let bias = NamedTensor("bias", .zeros([5]))
    #expect {
      try Checkpoint.readParameters(path, into: [bias])
    } throws: { "\($0)".contains("bias") && "\($0)".contains("[4]") }
  }
}
