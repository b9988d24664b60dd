import Diagnostics
import Files
import ProcessGroups
import StageDescriptions
import TestSupport
import Testing
import Torch
import Training
import TrainingOptions

@testable import PretrainStage

@Suite(.serialized) struct ProcessesTests {
  private static let settings = [
    "steps=6", "micro_batch=1", "model.dropout=0.1", "tempnet.dropout=0.1", "validation_interval=4",
  ]

  /// Parameters, TempNet's moments and both logs of a run of several processes.
  private static func train(_ size: Int) throws -> [[UInt8]] {
    let folder = try TemporaryFolder()
    try Files.makeFolder(folder("checkpoints"))
    let files = TrainingFiles(
      metrics: folder("metrics.jsonl"), events: folder("events"), checkpoints: folder("checkpoints"))
    let trained = try ThreadTransport.run(size) { processes in
      let task = try Fixture(.robust, settings).task()
      let loop = LoopSettings(steps: 6, seed: 5, validationInterval: 4, logInterval: 2, lanes: 4)
      _ = try TrainingLoop(
        task, settings: loop, files: processes.rank == 0 ? files : nil, stop: StopRules { nil }, processes: processes
      ).run()
      #expect(task.buffers.count == 1)
      return (task.groups.flatMap(\.parameters) + task.buffers).flatMap(\.tensor.bytes)
    }.map { try $0.get() }
    for other in trained { #expect(other == trained[0]) }
    return [trained[0], try Files.read(files.metrics), try Files.read(files.events)]
  }

  @Test func `more lanes than a step has micro-batches are refused with the number of those`() {
    #expect { try PretrainConfiguration(["batch=16", "micro_batch=5", "lanes=5"]) } throws: {
      ($0 as? Failure)?.status == .badConfiguration && "\($0)".contains("a step has only 4 micro-batches")
    }
  }

  /// Moments that followed from the windows a process computes, or random numbers from a window's place in its lane, would
  /// differ between numbers of processes.
  @Test func `a model and its TempNet come to the same bytes with 1, 2, 3 and 4 processes`() throws {
    let alone = try Self.train(1)
    for size in 2...4 { #expect(try Self.train(size) == alone) }
  }
}
