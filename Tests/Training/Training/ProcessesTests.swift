import Artifacts
import Diagnostics
import Files
import ProcessGroups
import TestSupport
import Testing
import Torch
import TrainingOptions

@testable import Training

/// Several processes, as threads, that train one task.
@Suite(.serialized) struct ProcessesTests {
  private static let steps = 13
  private static let lanes = 4
  private static let settings = LoopSettings(
    steps: steps, seed: 9, validationInterval: 5, logInterval: 3,
    run: RunOptions(checkpointInterval: 4, keptCheckpoints: 2), lanes: lanes)

  private struct Outcome: Equatable {
    let result: TrainingResult
    let parameters: [UInt8]
  }

  private let folder = try! TemporaryFolder()

  private func written() throws -> [[UInt8]] {
    let files = try folder.files()
    return [try Files.read(files.metrics), try Files.read(files.events)]
  }

  /// Trains from the newest checkpoint on.
  ///
  /// - Parameters:
  ///   - prepare: what is special about the task of a process.
  ///   - stop: whether a process has a reason to stop, from the number of batches it has done.
  private func train(
    _ size: Int, prepare: @escaping @Sendable (ToyTask, Int) -> Void = { _, _ in },
    stop: @escaping @Sendable (_ rank: Int, _ batches: Int) -> Failure? = { _, _ in nil }
  ) throws -> [Result<Outcome, any Error>] {
    let files = try folder.files()
    return ThreadTransport.run(size) { processes in
      let rank = processes.rank
      let task = ToyTask(steps: Self.steps, batchesPerStep: 8)
      prepare(task, rank)
      let loop = try TrainingLoop(
        task, settings: Self.settings, files: rank == 0 ? files : nil,
        stop: StopRules { stop(rank, task.batchCount) }, processes: processes)
      return Outcome(result: try loop.run(), parameters: task.bytes)
    }
  }

  /// The result and the logs of an undisturbed run of one process.
  private func alone() throws -> (outcome: Outcome, files: [[UInt8]]) {
    let other = ProcessesTests()
    let outcome = try other.train(1)[0].get()
    return (outcome, try other.written())
  }

  @Test(arguments: 1...4)
  func `any number of processes comes to the bytes of one, and rank 0 writes`(size: Int) throws {
    let (expected, files) = try alone()
    for outcome in try train(size) { #expect(try outcome.get() == expected) }
    #expect(try written() == files)
  }

  @Test func `a run goes on with another number of processes`() throws {
    let (expected, files) = try alone()
    let stopped = Failure(.tryAgain, "stop")
    // The second of the processes is told to stop, in the middle of the run; each does its share of 8 batches a step.
    for size in [2, 3] {
      for (rank, outcome) in try train(size, stop: { $0 == 1 && $1 >= 12 ? stopped : nil }).enumerated() {
        #expect { try outcome.get() } throws: { error in
          guard let failure = error as? Failure, failure.status == .tryAgain else { return false }
          return rank == 1 ? failure == stopped : "\(failure)".contains("another process of this run was told to stop")
        }
      }
    }
    #expect(try CheckpointFolder(folder.files().checkpoints, keep: 2).steps().last! > 4)
    for outcome in try train(4) { #expect(try outcome.get() == expected) }
    #expect(try written() == files)
  }

  /// Weights and moments that only process 0 has read, and moments that a process keeps for itself, break this.
  @Test func `processes that begin with other weights go on with those of process 0`() throws {
    let (expected, _) = try alone()
    let outcomes = try train(
      3, prepare: { task, rank in withoutGradients { task.weight.copy(from: task.weight * (1 + Double(rank))) } })
    for outcome in outcomes { #expect(try outcome.get() == expected) }
  }

  @Test(arguments: [0, 1, 2])
  func `a validation that fails in one process ends all with its status`(culprit: Int) throws {
    let own = Failure(.inputOutput, "a bad disk")
    let outcomes = try train(
      3, prepare: { task, rank in task.onValidation = { if rank == culprit { throw own } } })
    for (rank, outcome) in outcomes.enumerated() {
      #expect { try outcome.get() } throws: { error in
        guard let failure = error as? Failure else { return false }
        return rank == culprit
          ? failure == own : failure.status == .inputOutput && "\(failure)".contains("another process")
      }
    }
  }

  @Test func `a disk that fails rank 0 ends all with its status`() throws {
    let files = try folder.files()
    try Files.remove(files.checkpoints)
    try AtomicFile.write("no folder", to: files.checkpoints)
    let outcomes = ThreadTransport.run(2) { processes in
      let loop = try TrainingLoop(
        ToyTask(steps: Self.steps, batchesPerStep: 8), settings: Self.settings,
        files: processes.rank == 0 ? files : nil, stop: StopRules { nil }, processes: processes)
      return try loop.run().steps
    }
    let statuses = outcomes.map { outcome -> Int32? in
      if case .failure(let error as Failure) = outcome { error.status.rawValue } else { nil }
    }
    #expect(statuses[0] != nil && Set(statuses).count == 1)
  }

  @Test func `training that diverges does so in all processes`() throws {
    let outcomes = try train(2, prepare: { task, rank in if rank == 1 { task.poisonedStep = 6 } })
    for outcome in outcomes {
      #expect { try outcome.get() } throws: { ($0 as? Failure)?.status == .badConfiguration }
    }
    #expect(try CheckpointFolder(folder.files().checkpoints, keep: 2).steps().isEmpty)
  }

  @Test func `more processes than lanes are refused`() throws {
    for outcome in try train(5) {
      #expect { try outcome.get() } throws: { "\($0)".contains("5 processes are more than the 4 lanes") }
    }
  }
}
