import Artifacts
import Diagnostics
import Files
import Torch

/// The logs and checkpoints of a run. Of several processes only the process of rank 0 has them.
final class TrainingJournal {
  private let files: TrainingFiles
  private let checkpoints: CheckpointFolder
  private var log: TrainingLog?

  init(_ files: TrainingFiles, keptCheckpoints: Int) throws {
    self.files = files
    checkpoints = try CheckpointFolder(files.checkpoints, keep: keptCheckpoints)
  }

  /// Opens the logs, and reads the newest checkpoint, if there is one, into the tensors.
  ///
  /// - Parameter steps: the number of steps of the run, for the message.
  /// - Returns: the state that the checkpoint holds; nil for a run that begins.
  func resume(_ parameters: [NamedTensor], optimiser: [NamedTensor], steps: Int) throws -> [UInt8]? {
    guard let (step, folder) = try checkpoints.latest() else {
      log = try TrainingLog(files, continuingAfter: nil)
      return nil
    }
    do {
      let stated = try Checkpoint.readState(folder)
      let lengths = try TrainingState.read(stated, source: Checkpoint.statePath(folder)).lengths
      try Checkpoint.readParameters(folder, into: parameters)
      try Checkpoint.readOptimiser(folder, into: optimiser)
      log = try TrainingLog(files, continuingAfter: lengths)
      Log.note("continuing from step \(step) of \(steps) (\(folder))")
      return stated
    } catch let failure as Failure where [.badData, .missingInput].contains(failure.status) {
      throw failure.ofUnfinishedWork(in: Files.folder(of: checkpoints.path))
    }
  }

  func save(_ state: TrainingState, parameters: [NamedTensor], optimiser: [NamedTensor]) throws {
    try openLog.synchronise()
    try checkpoints.save(step: state.step) { folder in
      try Checkpoint.write(
        to: folder, state: state, lengths: openLog.lengths, parameters: parameters, optimiser: optimiser)
    }
  }

  /// Marks the checkpoint of a step, which was saved before it was validated.
  func markBest(step: Int) throws {
    try checkpoints.save(step: step, isBest: true) { _ in preconditionFailure("saved before validating") }
  }

  func write(step: Int, _ sections: [(name: String, metrics: Metrics)]) throws {
    try openLog.write(step: step, sections)
  }

  func close() throws { try openLog.close() }

  func restoreBest(step: Int, _ parameters: [NamedTensor]) throws {
    guard let (best, folder) = try checkpoints.best(), best == step else {
      throw Failure(.badData, "does not hold the best checkpoint, step \(step)", at: checkpoints.path)
    }
    try Checkpoint.readParameters(folder, into: parameters)
  }

  func removeCheckpoints() throws { try checkpoints.removeAll() }

  private var openLog: TrainingLog {
    guard let log else { preconditionFailure("the run was not resumed") }
    return log
  }
}
