import Diagnostics
import ProcessGroups
import Torch
import TrainingOptions

/// Trains a task to its last step: optimiser, schedule, validation, checkpoints, logs, progress.
///
/// The checkpoint of step s is the state on arrival at s, before a validation that is due there. A resumed run repeats
/// the validation, and therefore arrives at the same best step, the same logs and the same bytes as an uninterrupted
/// run.
public final class TrainingLoop<Task: TrainingTask> {
  private let task: Task
  private let settings: LoopSettings
  private let stop: StopRules
  private let processes: any ProcessGroup
  /// Nil if another process writes.
  private let journal: TrainingJournal?
  private let optimiser: AdamW
  /// The schedule of each of the optimiser's groups.
  private let schedules: [Schedule]
  private var state = TrainingState()
  private var shownWarnings: Set<String> = []
  /// The mean loss per item since the last line of the log, when the measurements were last read.
  private var recentLoss: Double?

  /// Thrown between steps and within validations, where the state can be saved.
  private struct Stopped: Error { let reason: Failure }

  /// - Parameter files: the files that the process of rank 0 writes; nil in all other processes.
  public init(
    _ task: Task, settings: LoopSettings, files: TrainingFiles?, stop: StopRules,
    processes: any ProcessGroup = OneProcess()
  ) throws {
    precondition((files != nil) == (processes.rank == 0), "the process of rank 0 writes, and no other")
    self.task = task
    self.settings = settings
    self.stop = stop
    self.processes = processes
    guard processes.size <= settings.lanes else {
      throw Failure(
        .badConfiguration, "\(processes.size) processes are more than the \(settings.lanes) lanes of a step")
    }
    journal = try processes.together {
      try files.map { try TrainingJournal($0, keptCheckpoints: settings.run.keptCheckpoints) }
    }
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
    try resume()
    let progress = Progress(
      "training", unit: task.itemName, total: settings.steps * task.itemsPerStep,
      alreadyDone: state.step * task.itemsPerStep)
    do {
      let last = try advance(progress)
      progress.finish(detail: "step \(state.step)")
      try processes.together { try journal?.close() }
      return try select(last: last)
    } catch let stopped as Stopped {
      optimiser.clearGradients()
      try save()
      Log.note("saved step \(state.step) of \(settings.steps)")
      throw stopped.reason
    } catch let diverged as Divergence {
      // Every further attempt would end in the same way.
      try processes.together { try journal?.removeCheckpoints() }
      throw diverged.failure(groups: task.groups)
    }
  }

  /// Restores the newest checkpoint, if there is one. All processes begin with the weights of process 0.
  private func resume() throws {
    let restored = try processes.together {
      try journal?.resume(parameters, optimiser: optimiser.state, steps: settings.steps)
    }
    let stated = try processes.broadcast(restored ?? [], from: 0)
    if !stated.isEmpty { state = try TrainingState.read(stated, source: "the checkpoint of process 0").state }
    try processes.broadcast((parameters + optimiser.state).map(\.tensor))
  }

  private var parameters: [NamedTensor] { task.groups.flatMap(\.parameters) + task.buffers }

  /// - Returns: the validation after the last step.
  private func advance(_ progress: Progress) throws -> TrainingResult.Validation {
    while true {
      let isLast = state.step == settings.steps
      let isValidated = isLast || (state.step > 0 && state.step % settings.validationInterval == 0)
      if isValidated || (state.step > 0 && state.step % settings.run.checkpointInterval == 0) { try save() }
      if isValidated {
        let validation = try validate()
        if isLast { return validation }
      }
      try stopIfAsked()
      try step()
      if state.step % settings.logInterval == 0 || state.step == settings.steps { try report() }
      progress.update(state.step * task.itemsPerStep, detail: progressDetail)
    }
  }

  /// Stops all processes at the same place if one of them is told to stop.
  private func stopIfAsked() throws {
    let reason = stop.reason()
    guard try processes.agreeToStop(reason != nil) else { return }
    throw Stopped(reason: reason ?? Failure(.tryAgain, "another process of this run was told to stop"))
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
    // Checked before the optimiser moves, so that the parameters are as they were and the message is exact.
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
  private func save() throws {
    try settle()
    try processes.together { try journal?.save(state, parameters: parameters, optimiser: optimiser.state) }
  }

  private func validate() throws -> TrainingResult.Validation {
    let metrics = try measured()
    guard let value = metrics[task.criterion] else { preconditionFailure("validation has no \(task.criterion)") }
    guard value.isFinite else {
      throw Divergence(step: state.step - 1, symptom: "the validation's \(task.criterion) is \(value)")
    }
    let validation = TrainingResult.Validation(step: state.step, metrics: metrics)
    let isBest = state.best.flatMap { $0.metrics[task.criterion] }.map { value < $0 } ?? true
    if isBest { state.best = validation }
    try processes.together {
      try journal?.write(step: state.step, [("validation", metrics)])
      if isBest { try journal?.markBest(step: state.step) }
    }
    let figures = metrics.entries.map { "\($0.name) \(fixed($0.value, digits: 4))" }.joined(separator: ", ")
    Log.note("step \(state.step): validation \(figures)\(isBest ? ", the best so far" : "")")
    return validation
  }

  /// The task's validation. A process in which it fails tells the others at their next check whether to stop, or at the
  /// end.
  private func measured() throws -> Metrics {
    let outcome = Result { try withoutGradients { try task.validate { try stopIfAsked() } } }
    if case .failure(let stopped as Stopped) = outcome { throw stopped }
    return try processes.together { try outcome.get() }
  }

  /// Writes the means since the line before, and begins new ones.
  private func report() throws {
    try settle()
    guard let (measured, norms) = state.means?.means else { return }
    let rates = Metrics(task.groups.map { (name: $0.name, value: $0.schedule.rate(state.step - 1)) })
    try processes.together {
      try journal?.write(
        step: state.step, [("training", measured), ("gradient_norm", norms), ("learning_rate", rates)])
    }
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
      try processes.together { try journal?.restoreBest(step: selected.step, parameters) }
      try processes.broadcast(parameters.map(\.tensor))
      Log.note("the result is step \(selected.step), with the lowest validation \(task.criterion), not the last")
    }
    return TrainingResult(steps: state.step, selected: selected, best: best, last: last)
  }
}

extension ParameterGroup {
  /// The optimiser's groups. It decays a group as a whole, so matrices are separate from the rest.
  fileprivate var byDecay: [AdamW.Group] {
    let matrices = parameters.filter { $0.tensor.rank >= 2 }
    let others = parameters.filter { $0.tensor.rank < 2 }
    return [
      AdamW.Group(name: "\(name).matrices", parameters: matrices, learningRate: 0, weightDecay: weightDecay),
      AdamW.Group(name: "\(name).others", parameters: others, learningRate: 0, weightDecay: 0),
    ]
  }
}
