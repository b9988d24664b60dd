import Artifacts
import Diagnostics
import Files
import Glibc
import StageDescriptions

/// The end of a stage.
enum StageEnd: Sendable {
  case made(attempts: Int)
  /// Another runner made the same artifact meanwhile.
  case adopted
  /// The runner was asked to end; the stage saved its work.
  case interrupted
  case failed(Failure, attempts: Int)
}

/// Makes the artifact of one stage of a plan. It waits for others that make the same artifact, runs the program, and
/// repeats it after crashes as often as the pipeline says.
struct StageRun: Sendable {
  let stage: PlannedStage
  /// The frozen configuration.
  let configuration: String
  let log: String
  /// The file in which the program states how it ended.
  let ending: String
  /// Whether the log is hidden.
  let isQuiet: Bool
  let environment: [String: String]
  let executor: any Executor
  let clock: any WallClock
  /// How long to wait for the artifact of a successful program, in seconds; network disks show names late.
  let patience: Double
  /// Called with the name of each attempt's job.
  let onSubmission: @Sendable (JobName) -> Void

  /// Between two checks of a lock that another process holds.
  private static let lockInterval = 1.0

  func perform() async -> StageEnd {
    var attempts = 0
    do {
      while true {
        try Task.checkCancellation()
        if try await isMadeByAnother() { return .adopted }
        let aside = try AsideArtifact(of: stage)
        defer { aside.putBack() }
        attempts += 1
        // The end of an earlier attempt must not be mistaken for the end of this one.
        try Files.remove(ending)
        let end = try await run()
        if Task.isCancelled && end != .exited(0) { return .interrupted }
        if try await isMade(end) {
          try aside.discard()
          return .made(attempts: attempts)
        }
        if try isOvertaken(end) {
          attempts -= 1
          continue
        }
        guard Self.isWorthRepeating(end), attempts <= stage.retries else {
          return .failed(failure(end), attempts: attempts)
        }
        let delay = Self.delay(afterAttempt: attempts)
        Log.warning("\(stage.name): \(Self.words(end)); trying again in \(clockTime(delay))")
        try await clock.sleep(seconds: delay)
      }
    } catch is CancellationError {
      return .interrupted
    } catch {
      let failure = error as? Failure ?? Failure(.internal, "\(error)")
      return .failed(Failure(failure.status, "stage \(stage.name): \(failure)"), attempts: attempts)
    }
  }

  /// Ten seconds after the first attempt, then twice as long each time, at most ten minutes.
  static func delay(afterAttempt attempt: Int) -> Double { min(10 * Double(1 << min(attempt - 1, 10)), 600) }

  /// Crashes, lost jobs and disk errors may not occur again; everything else does.
  static func isWorthRepeating(_ end: ProgramEnd) -> Bool {
    switch end {
    case .signalled, .lost: true
    case .exited(let code): code == ExitStatus.inputOutput.rawValue
    }
  }

  private var relay: LogRelay { LogRelay(path: log, prefix: "\(stage.name): ") }

  /// Waits while another process makes the artifact. True if the artifact exists afterwards.
  private func isMadeByAnother() async throws -> Bool {
    var holder: String?
    while let current = FileLock.holder(stage.lock) {
      if current != holder { Log.note("\(stage.name): waits for \(current), which makes the same artifact") }
      holder = current
      try await clock.sleep(seconds: Self.lockInterval)
    }
    guard !stage.isForced || holder != nil else { return false }
    return try isPresent()
  }

  /// Whether the program found that another process makes the artifact or has just made it. That process may have ended
  /// by now, as the stage of a killed runner does. Then only the program's own record tells.
  private func isOvertaken(_ end: ProgramEnd) throws -> Bool {
    guard end == .exited(ExitStatus.tryAgain.rawValue) else { return false }
    if StageEnding(readingIfWhole: ending)?.isBusy == true { return true }
    return try FileLock.holder(stage.lock) != nil || isPresent()
  }

  private func isPresent() throws -> Bool {
    if case .present = try ArtifactState(at: stage.output, kind: stage.identity.kind, key: stage.key) {
      true
    } else {
      false
    }
  }

  private func run() async throws -> ProgramEnd {
    let order = WorkOrder(
      stage: stage.name, program: stage.description.program,
      arguments: stage.description.arguments(
        inputs: stage.inputs, configurationFile: configuration, output: stage.output, key: stage.key),
      environment: environment.merging([StageEnding.fileVariable: ending]) { $1 }, log: log, cores: stage.cores,
      memory: stage.memory)
    let (relay, start) = (relay, relay.size)
    let job = try await executor.submit(order)
    onSubmission(job)
    return try await withThrowingTaskGroup(of: ProgramEnd?.self) { group in
      // Nobody would see what is relayed.
      if !isQuiet {
        group.addTask {
          await relay.follow(from: start)
          return nil
        }
      }
      group.addTask { try await end(of: job) }
      defer { group.cancelAll() }
      while let end = try await group.next() { if let end { return end } }
      throw CancellationError()
    }
  }

  /// The end of a job. If the runner is asked to end, it asks the job to end, and waits.
  private func end(of job: JobName) async throws -> ProgramEnd {
    try await withTaskCancellationHandler {
      try await executor.end(of: job)
    } onCancel: {
      Task { await executor.stop(job) }
    }
  }

  private func isMade(_ end: ProgramEnd) async throws -> Bool {
    guard end == .exited(0) else { return false }
    guard try await appears() else {
      throw Failure(
        .internal, "\(stage.description.program) ended with 0, but its artifact does not exist", at: stage.output)
    }
    return true
  }

  /// Whether the artifact exists, or appears in time.
  private func appears() async throws -> Bool {
    if try isPresent() { return true }
    let last = clock.now + patience
    while try !isPresent() {
      guard clock.now < last else { return false }
      try await clock.sleep(seconds: Self.lockInterval)
      // A client of a network disk asks for names again when the folder is listed.
      _ = try Files.list(Files.folder(of: stage.output))
    }
    return true
  }

  /// States the cause only if the relay has not shown it.
  private func failure(_ end: ProgramEnd) -> Failure {
    var (status, detail) = (ExitStatus.internal, "")
    if case .exited(let code) = end {
      status = ExitStatus(rawValue: code) ?? .internal
      if isQuiet, let cause = StageEnding(readingIfWhole: ending)?.cause { detail = ": \(cause)" }
    }
    if end == .lost { (status, detail) = (.tryAgain, "; the same command continues its work") }
    if case .signalled(let signal) = end, [SIGKILL, SIGINT, SIGTERM, SIGHUP].contains(signal) {
      status = .tryAgain
      let guess = signal == SIGKILL ? ", perhaps because memory ran out" : ""
      detail = "\(guess); the same command continues its work"
    }
    return Failure(status, "stage \(stage.name) \(Self.words(end))\(detail) (log: \(log))")
  }

  private static func words(_ end: ProgramEnd) -> String {
    switch end {
    case .exited(let code): "ended with \(code)"
    case .signalled(let signal): "was ended by signal \(signal)"
    case .lost: "was lost: the end of its job is unknown"
    }
  }
}

extension PlannedStage {
  /// The lock of the process that makes the artifact.
  fileprivate var lock: String { ArtifactBuilder.lock(for: output) }
}

/// The former artifact, kept under another name until the new one exists.
private struct AsideArtifact {
  private let stage: PlannedStage
  private var aside: String { "\(stage.output).replaced" }

  init(of stage: PlannedStage) throws {
    self.stage = stage
    guard try Files.status(stage.output) != nil else { return }
    try Files.remove(aside)
    try Files.rename(stage.output, to: aside)
  }

  func discard() throws { try Files.remove(aside) }

  /// Without effect if the new artifact exists, or another process is making it. If the former artifact cannot be put
  /// back, the next run makes it again.
  func putBack() {
    guard Files.exists(aside), !Files.exists(stage.output), FileLock.holder(stage.lock) == nil else { return }
    try? Files.rename(aside, to: stage.output)
  }
}
