import Artifacts
import Diagnostics
import Files
import ProcessGroups
import Torch
import TrainingOptions

/// Trains a task to its last step: optimiser, schedule, validation, checkpoints, logs, progress.
///
/// A checkpoint of step s is the state on arrival at s, before a validation that is due there. So going on from it
/// repeats the validation and comes to the same best step, the same logs and the same bytes as a run that never stopped.
public final class TrainingLoop<Task: TrainingTask> {
  private let task: Task
  private let settings: LoopSettings
  private let stop: StopRules
  private let processes: any ProcessGroup
  private let files: TrainingFiles
  private let checkpoints: CheckpointFolder
  private let optimiser: AdamW
  /// The schedule of each of the optimiser's groups.
  private let schedules: [Schedule]
  private var state = TrainingState()
  private var shownWarnings: Set<String> = []
  /// The mean loss per item since the last line of the log, as of the last look at the measurements.
  private var recentLoss: Double?

  /// Thrown between steps and within validations, where the state is one that can be saved.
  private struct Stopped: Error { let reason: Failure }

  public init(
    _ task: Task, settings: LoopSettings, files: TrainingFiles, stop: StopRules,
    processes: any ProcessGroup = OneProcess()
  ) throws {
    self.task = task
    self.settings = settings
    self.files = files
    self.stop = stop
    self.processes = processes
    guard processes.size <= settings.lanes else {
      throw Failure(
        .badConfiguration, "\(processes.size) processes are more than the \(settings.lanes) lanes of a step")
    }
    checkpoints = try CheckpointFolder(files.checkpoints, keep: settings.run.keptCheckpoints)
    let split = task.groups.flatMap { group in group.byDecay.map { (group.schedule, $0) } }
    schedules = split.map(\.0)
    let options = settings.optimiser
    optimiser = AdamW(split.map(\.1), beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon)
  }

  /// Runs from the newest checkpoint, or from the start, to the last step. Afterwards the task holds the selected
  /// parameters.
  ///
  /// - Throws: `.tryAgain` when told to stop, after saving a checkpoint; `.badConfiguration` when training diverges.
  public func run() throws -> TrainingResult {
    let log = try resume()
    // Weights that were drawn, or read from a checkpoint, are those of process 0.
    try processes.broadcast((parameters + optimiser.state).map(\.tensor))
    let progress = Progress(
      "training", unit: task.itemName, total: settings.steps * task.itemsPerStep,
      alreadyDone: state.step * task.itemsPerStep)
    do {
      let last = try advance(log, progress)
      progress.finish(detail: "step \(state.step)")
      try log.close()
      return try select(last: last)
    } catch let stopped as Stopped {
      optimiser.clearGradients()
      try save(log)
      Log.note("saved step \(state.step) of \(settings.steps)")
      throw stopped.reason
    } catch let diverged as Divergence {
      // Every attempt to go on would come to the same end.
      try checkpoints.removeAll()
      throw diverged.failure(groups: task.groups)
    }
  }

  /// Restores the newest checkpoint, if there is one.
  private func resume() throws -> TrainingLog {
    guard let (step, folder) = try checkpoints.latest() else {
      return try TrainingLog(files, continuingAfter: nil)
    }
    do {
      let stated = try processes.broadcast(Checkpoint.readState(folder), from: 0)
      let (state, lengths) = try TrainingState.read(stated, source: Checkpoint.statePath(folder))
      try Checkpoint.readParameters(folder, into: parameters)
      try Checkpoint.readOptimiser(folder, into: optimiser.state)
      let log = try TrainingLog(files, continuingAfter: lengths)
      self.state = state
      Log.note("continuing from step \(step) of \(settings.steps) (\(folder))")
      return log
    } catch let failure as Failure where [.badData, .missingInput].contains(failure.status) {
      throw failure.ofUnfinishedWork(in: Files.folder(of: checkpoints.path))
    }
  }

  private var parameters: [NamedTensor] { task.groups.flatMap(\.parameters) + task.buffers }

  /// - Returns: the validation after the last step.
  private func advance(_ log: TrainingLog, _ progress: Progress) throws -> TrainingResult.Validation {
    while true {
      let isLast = state.step == settings.steps
      let isValidated = isLast || (state.step > 0 && state.step % settings.validationInterval == 0)
      if isValidated || (state.step > 0 && state.step % settings.run.checkpointInterval == 0) { try save(log) }
      if isValidated {
        let validation = try validate(log)
        if isLast { return validation }
      }
      try stopIfAsked()
      try step()
      if state.step % settings.logInterval == 0 || state.step == settings.steps { try report(log) }
      progress.update(state.step * task.itemsPerStep, detail: progressDetail)
    }
  }

  /// Stops every process at the same place if one is told to.
  private func stopIfAsked() throws {
    let reason = stop.reason()
    let agreed = try processes.agreed(reason?.status.rawValue ?? 0)
    if let reason { throw Stopped(reason: reason) }
    guard agreed == 0 else { throw Stopped(reason: Failure(.tryAgain, "another process of this run was told to stop")) }
  }
}

// MARK: - One step

extension TrainingLoop {
  private func step() throws {
    let step = state.step
    let work = TrainingStep(number: step, seed: settings.seed, lanes: settings.lanes, processes: processes)
    work.seedGenerators(part: 0)
    try processes.together { try task.willBegin(step: step) }
    let measured = try task.addGradients(work)
    let norms = task.groups.map { group in
      clipGradients(of: group.parameters, to: settings.optimiser.gradientClip ?? .infinity).to(.float64)
    }
    var means = state.means ?? RunningMeans(names: measured.names, groups: task.groups.map(\.name))
    means.add(step: step, measured, norms: .stack(norms))
    state.means = means
    // Looking before the optimiser moves keeps the parameters as they were, and the message exact.
    if (step + 1) % settings.checkInterval == 0 { try settle() }
    update()
    state.step = step + 1
  }

  private func update() {
    for (index, schedule) in schedules.enumerated() {
      optimiser.groups[index].learningRate = schedule.rate(state.step)
    }
    optimiser.step()
    optimiser.clearGradients()
  }

  /// Reads the measurements and fails if one is not finite.
  private func settle() throws {
    do throws(RunningMeans.NotFinite) {
      try state.means?.settle()
    } catch {
      throw Divergence(step: error.step, symptom: "\(error.name) is \(error.value)")
    }
    recentLoss = state.means?.means.measured.entries.first?.value ?? recentLoss
  }
}

// MARK: - Between steps

extension TrainingLoop {
  private func save(_ log: TrainingLog) throws {
    try settle()
    try log.synchronise()
    try checkpoints.save(step: state.step) { folder in
      try Checkpoint.write(
        to: folder, state: state, lengths: log.lengths, parameters: parameters, optimiser: optimiser.state)
    }
  }

  private func validate(_ log: TrainingLog) throws -> TrainingResult.Validation {
    let metrics = try withoutGradients { try task.validate { try stopIfAsked() } }
    guard let value = metrics[task.criterion] else { preconditionFailure("validation has no \(task.criterion)") }
    guard value.isFinite else {
      throw Divergence(step: state.step - 1, symptom: "the validation's \(task.criterion) is \(value)")
    }
    try log.write(step: state.step, [("validation", metrics)])
    let validation = TrainingResult.Validation(step: state.step, metrics: metrics)
    let isBest = state.best.flatMap { $0.metrics[task.criterion] }.map { value < $0 } ?? true
    if isBest {
      state.best = validation
      try checkpoints.save(step: state.step, isBest: true) { _ in preconditionFailure("saved before validating") }
    }
    let figures = metrics.entries.map { "\($0.name) \(fixed($0.value, digits: 4))" }.joined(separator: ", ")
    Log.note("step \(state.step): validation \(figures)\(isBest ? ", the best so far" : "")")
    return validation
  }

  /// Writes the means since the line before, and begins new ones.
  private func report(_ log: TrainingLog) throws {
    try settle()
    guard let (measured, norms) = state.means?.means else { return }
    let rates = Metrics(task.groups.map { (name: $0.name, value: $0.schedule.rate(state.step - 1)) })
    try log.write(step: state.step, [("training", measured), ("gradient_norm", norms), ("learning_rate", rates)])
    for warning in task.warnings(measured) where shownWarnings.insert(warning.kind).inserted {
      Log.warning("step \(state.step): \(warning.message)")
    }
    state.means = nil
  }

  private var progressDetail: String {
    let loss = recentLoss.map { "  loss \(fixed($0, digits: 4))" } ?? ""
    return "step \(state.step)/\(settings.steps)\(loss)"
  }

  /// Gives the task the selected parameters.
  private func select(last: TrainingResult.Validation) throws -> TrainingResult {
    guard let best = state.best else { preconditionFailure("the last step was validated") }
    let selected = settings.selection == .best ? best : last
    if selected.step != state.step {
      guard let (step, folder) = try checkpoints.best(), step == selected.step else {
        throw Failure(.badData, "does not hold the best checkpoint, step \(selected.step)", at: checkpoints.path)
      }
      try Checkpoint.readParameters(folder, into: parameters)
      Log.note("the result is step \(step), with the lowest validation \(task.criterion), not the last")
    }
    return TrainingResult(steps: state.step, selected: selected, best: best, last: last)
  }
}

extension ParameterGroup {
  /// Groups for the optimiser, which decays a group as a whole: matrices apart from the rest.
  fileprivate var byDecay: [AdamW.Group] {
    let matrices = parameters.filter { $0.tensor.rank >= 2 }
    let others = parameters.filter { $0.tensor.rank < 2 }
    return [
      AdamW.Group(name: "\(name).matrices", parameters: matrices, learningRate: 0, weightDecay: weightDecay),
      AdamW.Group(name: "\(name).others", parameters: others, learningRate: 0, weightDecay: 0),
    ]
  }
}
