import Artifacts
import Diagnostics
import Files
import Glibc
import StageDescriptions

/// Carries out a plan. Each stage runs as soon as its inputs exist; independent stages run side by side within the
/// executor's capacity.
///
/// After a failure running stages finish, no other stage begins, and the first failure is the runner's. On an
/// interruption running stages save their work, and the runner ends with `tryAgain`.
public struct Runner: Sendable {
  private let store: Store
  private let executor: any Executor
  private let clock: any WallClock
  /// Whether the output of stages is hidden: then the runner's own message states why a stage failed.
  private let isQuiet: Bool
  private let isInterrupted: @Sendable () -> Bool
  private let patience: Double

  /// Between two checks for an interruption.
  private static let watchInterval = Duration.milliseconds(50)

  /// NFS keeps absent names in memory for up to a minute.
  private static let networkPatience = 90.0

  /// - Parameter patience: how long an artifact may stay invisible after its program has ended, in seconds; nil for a
  ///   value that suits the store's disk.
  public init(
    store: Store, executor: any Executor, clock: any WallClock = SystemClock(), isQuiet: Bool = Log.isQuiet,
    patience: Double? = nil,
    isInterrupted: @escaping @Sendable () -> Bool = { Interruption.isRequested }
  ) {
    (self.store, self.executor, self.clock) = (store, executor, clock)
    (self.isQuiet, self.isInterrupted) = (isQuiet, isInterrupted)
    self.patience = patience ?? (NetworkDisk.holds(store.path) ? Self.networkPatience : 0)
  }

  /// - Returns: the folder with the record of the run; nil when there was nothing to do.
  /// - Throws: the failure of the first stage that failed.
  @discardableResult
  public func run(_ plan: Plan) async throws -> String? {
    guard try !plan.work.isEmpty || needsNoting(plan) else { return nil }
    for stage in plan.work { try executor.check(stage.description.program) }
    guard let folder = try begin(plan) else { return nil }
    let failure = try await carryOut(plan, folder)
    do {
      try folder.close(at: clock.now)
    } catch {
      throw failure ?? error
    }
    if let failure { throw failure }
    return folder.path
  }

  /// Whether a plan without work leaves something to note. In a store that can only be read, nothing is noted.
  private func needsNoting(_ plan: Plan) throws -> Bool {
    try !store.hasNoted(plan.made, of: plan.identity) && access(store.path, W_OK) == 0
  }

  /// Notes the pipeline's needs, so that `gc` keeps them, and checks that `gc` has removed none of them before.
  ///
  /// - Returns: nil where there is nothing to run.
  private func begin(_ plan: Plan) throws -> RunFolder? {
    try Files.makeFolder(store.path)
    let lock = try FileLock.waiting(for: store.collectionLock)
    defer { withExtendedLifetime(lock) {} }
    if let stage = plan.made.first(where: { !Files.exists($0.output) }) {
      throw Failure(
        .tryAgain, "the result of \(stage.name) was removed after the pipeline was planned; run the pipeline again")
    }
    let label = try store.note(plan.made, of: plan.identity)
    return plan.work.isEmpty ? nil : try RunFolder(in: store, label: label, for: plan, at: clock.now)
  }

  private enum Event: Sendable {
    case ended(PlannedStage, StageEnd)
    case interrupted
    case watchEnded
  }

  private func carryOut(_ plan: Plan, _ folder: RunFolder) async throws -> Failure? {
    var state = RunState(waiting: plan.work, free: executor.capacity)
    try await withThrowingTaskGroup(of: Event.self) { group in
      group.addTask { await watch() }
      while true {
        for stage in state.startable(executor.capacity) {
          let run = try begin(stage, folder)
          group.addTask { .ended(stage, await run.perform()) }
        }
        guard !state.running.isEmpty, let event = try await group.next() else { break }
        switch event {
        case .ended(let stage, let end): try finish(stage, end, of: plan, &state, folder)
        case .interrupted:
          state.failure = state.failure ?? Interruption.failure
          group.cancelAll()
        case .watchEnded: continue
        }
      }
      group.cancelAll()
    }
    return state.failure
  }

  private func watch() async -> Event {
    while !isInterrupted() {
      do { try await Task.sleep(for: Self.watchInterval) } catch { return .watchEnded }
    }
    return .interrupted
  }

  private func begin(_ stage: PlannedStage, _ folder: RunFolder) throws -> StageRun {
    if case .run(let reason) = stage.decision { Log.note("\(stage.name): runs (\(reason))") }
    let now = clock.now
    try folder.update(stage) { $0.begin(at: now) }
    return StageRun(
      stage: stage, configuration: try folder.freeze(stage), log: folder.log(of: stage),
      ending: folder.ending(of: stage), isQuiet: isQuiet,
      environment: [FileDigests.cacheVariable: store.digestCache], executor: executor, clock: clock, patience: patience,
      onSubmission: { note($0, of: stage, in: folder) })
  }

  /// Notes a job's name in the record, for people who look for the job. No result depends on it, and by now the job runs:
  /// where it cannot be written, the run goes on with a warning, and the record of the stage's end has the name too. Every
  /// other change that cannot be written ends the run.
  private func note(_ job: JobName, of stage: PlannedStage, in folder: RunFolder) {
    do {
      try folder.update(stage) { $0.job = job }
    } catch {
      Log.warning("\(stage.name): the run's record lacks the job, \(job), until the stage ends: \(error)")
    }
  }

  private func finish(
    _ stage: PlannedStage, _ end: StageEnd, of plan: Plan, _ state: inout RunState, _ folder: RunFolder
  ) throws {
    state.release(stage, executor.capacity)
    if case .failed(let failure, _) = end { state.failure = state.failure ?? failure }
    let now = clock.now
    var seconds = 0.0
    do {
      try folder.update(stage) { entry in
        entry.end(end.state, attempts: end.attempts, at: now)
        seconds = entry.seconds ?? 0
      }
    } catch {
      // A full disk fails both. The stage's failure says more than the failure to record it.
      throw state.failure ?? error
    }
    switch end {
    case .made, .adopted:
      state.waiting.removeAll { $0.name == stage.name }
      try store.note([stage], of: plan.identity)
      Log.note("\(stage.name): \(end.state.rawValue), took \(clockTime(seconds))")
    case .interrupted, .failed: break
    }
  }
}

/// The state of a run.
private struct RunState {
  /// Stages whose artifacts do not exist yet, including running ones.
  var waiting: [PlannedStage]
  var free: Resources
  var running: Set<String> = []
  /// The first failure; after it no stage begins.
  var failure: Failure?

  /// The stages that can begin now, in the order of the plan; they count as running from here on.
  mutating func startable(_ budget: Resources) -> [PlannedStage] {
    guard failure == nil else { return [] }
    let unmade = Set(waiting.map(\.name))
    var stages: [PlannedStage] = []
    for stage in waiting where !running.contains(stage.name) && unmade.isDisjoint(with: stage.dependencies) {
      let share = budget.share(of: stage)
      guard free.holds(share) else { continue }
      free -= share
      running.insert(stage.name)
      stages.append(stage)
    }
    return stages
  }

  mutating func release(_ stage: PlannedStage, _ budget: Resources) {
    running.remove(stage.name)
    free += budget.share(of: stage)
  }
}

extension StageEnd {
  fileprivate var state: RunRecord.State {
    switch self {
    case .made: .made
    case .adopted: .adopted
    case .interrupted: .interrupted
    case .failed: .failed
    }
  }

  fileprivate var attempts: Int {
    switch self {
    case .made(let attempts), .failed(_, let attempts): attempts
    case .adopted, .interrupted: 0
    }
  }
}
