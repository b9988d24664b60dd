import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import Pipelines
import StageDescriptions
import Synchronization
import Testing

@Suite struct RunnerTests {
  static let sideBySide = """
    stages:
      text: {run: read, with: {text: TEXT}, cores: 1}
      a: {run: train, from: {tokens: text}, cores: 2, memory: 3 GiB}
      b: {run: train, from: {tokens: text}, with: {name: other}, cores: 2, memory: 3 GiB}
      words: {run: describe, from: {model: a}, cores: 2, memory: 3 GiB}
    """

  /// The most stages that ran at one time.
  private func mostAtOnce(_ budget: Resources, _ yaml: String = sideBySide) async throws -> Int {
    let bench = try Bench()
    let plan = try bench.plan(yaml)
    let executor = RecordingExecutor(plan, capacity: budget) { order, executor in
      try await Task.sleep(for: .milliseconds(50))
      return try executor.publish(order)
    }
    try await bench.run(plan, executor: executor)
    #expect(executor.stages.first == "text" && executor.orders.count == plan.stages.count)
    return executor.mostAtOnce
  }

  @Test func `independent stages run side by side within cores, memory and jobs`() async throws {
    #expect(try await mostAtOnce(.ample) == 2)
    #expect(try await mostAtOnce(Resources(cores: 4, memory: 6 << 30)) == 2)
    #expect(try await mostAtOnce(Resources(cores: 3, memory: 6 << 30)) == 1)
    #expect(try await mostAtOnce(Resources(cores: 4, memory: 5 << 30)) == 1)
    #expect(try await mostAtOnce(Resources(cores: 4, memory: 6 << 30, jobs: 1)) == 1)
  }

  @Test func `a stage that asks for more than there is runs alone, one that asks for nothing too`() async throws {
    #expect(try await mostAtOnce(Resources(cores: 1, memory: 1 << 20)) == 1)
    #expect(try await mostAtOnce(.ample, Bench.twoModels.replacing("bundle", with: "last")) == 1)
  }

  @Test func `a program gets its inputs, a frozen configuration and the key it must find`() async throws {
    let bench = try Bench()
    let plan = try bench.plan(Self.sideBySide, set: ["a.rho=7"])
    let executor = RecordingExecutor(plan)
    let folder = try #require(try await bench.run(plan, executor: executor))
    let (text, a) = (try #require(plan["text"]), try #require(plan["a"]))
    let order = try #require(executor.orders.first { $0.stage == "a" })
    #expect(order.program == "tempnet-train" && order.cores == 2 && order.memory == 3 << 30)
    #expect(
      order.arguments == [
        "--tokens", text.output, "--config", "\(folder)/a.yaml", "--output", a.output, "--expect-key", a.key,
      ])
    let frozen = try YAMLSource.read(file: "\(folder)/a.yaml").json
    #expect(frozen == ["rho": 7, "threads": 2])
    #expect(order.log == "\(folder)/a.log")
  }

  @Test func `the run is recorded with reasons, times and attempts`() async throws {
    let bench = try Bench()
    let folder = try #require(try await bench.run(try bench.plan()))
    let record = try JSON(parsing: try Files.read("\(folder)/run.json"), source: "run.json")
    let stage = try #require(record["stages"]?["text"])
    #expect(stage["state"] == "made" && stage["reason"] == "no artifact yet" && stage["attempts"] == 1)
    #expect(stage["job"] == "text, job 1")
    #expect(stage["seconds"] == 1.0 && stage["started"] == "2027-01-15T08:00:02Z")
    #expect(record["ended"]?.stringValue?.hasPrefix("2027-01-15T08:00:") == true)
  }

  @Test func `links lead to the latest results`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let link = "\(bench.store.path)/latest/sample/words"
    #expect(try Artifact.open(link, kind: .evaluation).key == bench.plan()["words"]?.key)
    try await bench.run(try bench.plan(set: ["a.rho=7"]))
    #expect(try Artifact.open(link, kind: .evaluation).key == bench.plan(set: ["a.rho=7"])["words"]?.key)
  }

  @Test func `the first stage that fails decides, and those that run already are let finish`() async throws {
    let bench = try Bench()
    let plan = try bench.plan(Self.sideBySide)
    let executor = RecordingExecutor(plan) { order, executor in
      switch order.stage {
      case "a":
        try await until { executor.running.contains("b") }
        try StageEnding(Failure(.badData, "no space")).write(
          to: try #require(order.environment[StageEnding.fileVariable]))
        return .exited(65)
      case "b":
        try await until { !executor.running.contains("a") }
        return try executor.publish(order)
      default: return try executor.publish(order)
      }
    }
    await #expect { try await bench.run(plan, executor: executor) } throws: { error in
      guard let failure = error as? Failure else { return false }
      return failure.status == .badData && failure.message.hasPrefix("stage a ended with 65 (log: ")
    }
    let decisions = try bench.decisions(Self.sideBySide)
    #expect(decisions["b"] == .upToDate && decisions["a"] == .run("no artifact yet"))
    #expect(!executor.stages.contains("words"))
  }

  @Test func `an exit code that is none of ours, and a signal, count as internal errors`() async throws {
    for end in [ProgramEnd.exited(1), .signalled(11)] {
      let bench = try Bench()
      let plan = try bench.plan()
      await #expect {
        try await bench.run(plan, executor: RecordingExecutor(plan) { _, _ in end })
      } throws: {
        ($0 as? Failure)?.status == .internal
      }
    }
  }

  @Test func `crashes and input-output errors are tried again with back-off, as often as the pipeline says`()
    async throws
  {
    let yaml = "stages: {t: {run: read, with: {text: TEXT}, retries: 3}}"
    let bench = try Bench()
    let plan = try bench.plan(yaml)
    let clock = RecordingClock()
    func run(_ ends: [ProgramEnd]) async throws -> Int {
      let executor = RecordingExecutor(plan) { order, executor in
        let attempt = executor.attempts("t")
        return attempt <= ends.count ? ends[attempt - 1] : try executor.publish(order)
      }
      try await Runner(store: bench.store, executor: executor, clock: clock, isInterrupted: { false })
        .run(plan)
      return executor.attempts("t")
    }
    await #expect { try await run(Array(repeating: .signalled(9), count: 9)) } throws: {
      ($0 as? Failure)?.message.hasPrefix("stage t was ended by signal 9") == true
        && ($0 as? Failure)?.status == .tryAgain
    }
    #expect(clock.sleeps == [10, 20, 40])
    await #expect { try await run([.exited(65)]) } throws: { ($0 as? Failure)?.status == .badData }
    #expect(clock.sleeps.count == 3)
    #expect(try await run([.signalled(11), .exited(74)]) == 3)
    #expect(clock.sleeps == [10, 20, 40, 10, 20])
  }

  @Test func `a lost job is tried again as often as the pipeline says`() async throws {
    let bench = try Bench()
    let plan = try bench.plan("stages: {t: {run: read, with: {text: TEXT}, retries: 1}}")
    let executor = RecordingExecutor(plan) { order, executor in
      executor.attempts("t") == 1 ? .lost : try executor.publish(order)
    }
    let folder = try #require(try await bench.run(plan, executor: executor))
    #expect(try RunRecord(of: folder)?.stages.first?.job == JobName("t, job 2"))
    let again = try bench.plan(select: Selection(forced: ["text"]))
    await #expect {
      try await bench.run(again, executor: RecordingExecutor(again) { _, _ in .lost })
    } throws: {
      ($0 as? Failure)?.status == .tryAgain && "\($0)".contains("stage text was lost")
    }
  }

  @Test func `an interruption stops running stages and ends with try again`() async throws {
    let bench = try Bench()
    let plan = try bench.plan(Self.sideBySide)
    let wasStopped = Mutex<Set<String>>([])
    let executor = RecordingExecutor(plan) { order, executor in
      if order.stage == "text" { return try executor.publish(order) }
      do { try await Task.sleep(for: .seconds(60)) } catch { wasStopped.withLock { _ = $0.insert(order.stage) } }
      return .exited(75)
    }
    let runner = Runner(
      store: bench.store, executor: executor, clock: RecordingClock(),
      isInterrupted: { executor.running.isSuperset(of: ["a", "b"]) })
    await #expect { try await runner.run(plan) } throws: { ($0 as? Failure)?.status == .tryAgain }
    #expect(wasStopped.withLock { $0 } == ["a", "b"])
    #expect(try bench.decisions(Self.sideBySide)["text"] == .upToDate)
  }

  @Test func `an artifact that another run is making is waited for and taken over`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    let text = try #require(plan["text"])
    let (other, executor) = (RecordingExecutor(plan), RecordingExecutor(plan))
    let lock = Mutex<FileLock?>(nil)
    try Files.makeFolder(bench.store.artifacts)
    lock.withLock { $0 = try? FileLock(ArtifactBuilder.lock(for: text.output)) }
    let clock = WaitingClock { count in
      guard count == 3 else { return }
      lock.withLock { $0 = nil }
      _ = try? other.publish(WorkOrder(stage: "text", program: "", arguments: [], environment: [:], log: ""))
    }
    try await Runner(store: bench.store, executor: executor, clock: clock, isInterrupted: { false })
      .run(plan)
    #expect(executor.stages == ["a", "b", "words", "bundle"])
  }

  @Test func `a stage that another runner locks first is not counted as failed`() async throws {
    let yaml = "stages: {t: {run: read, with: {text: TEXT}}}"
    let bench = try Bench()
    let plan = try bench.plan(yaml)
    let output = try #require(plan["t"]).output
    let lock = Mutex<FileLock?>(nil)
    let executor = RecordingExecutor(plan) { order, executor in
      if executor.attempts("t") > 1 { return try executor.publish(order) }
      lock.withLock { $0 = try? FileLock(ArtifactBuilder.lock(for: output)) }
      return .exited(75)
    }
    try Files.makeFolder(bench.store.artifacts)
    let clock = WaitingClock { _ in lock.withLock { $0 = nil } }
    try await Runner(store: bench.store, executor: executor, clock: clock, isInterrupted: { false })
      .run(plan)
    #expect(executor.attempts("t") == 2)
  }

  @Test func `nor is one that a dying stage of a killed runner had locked`() async throws {
    let bench = try Bench()
    let plan = try bench.plan("stages: {t: {run: read, with: {text: TEXT}}}")
    let executor = RecordingExecutor(plan) { order, executor in
      if executor.attempts("t") > 1 { return try executor.publish(order) }
      let file = try #require(order.environment[StageEnding.fileVariable])
      try StageEnding(Failure(.tryAgain, "locked by process 1", isBusy: true)).write(to: file)
      return .exited(75)
    }
    try await Runner(store: bench.store, executor: executor, isInterrupted: { false }).run(plan)
    #expect(executor.attempts("t") == 2)
  }

  @Test func `the cause of a failure is in the runner's message only where logs are not shown`() async throws {
    // A cause that is always left out, or always repeated, breaks this; so does one of an earlier attempt.
    for isQuiet in [false, true] {
      let bench = try Bench()
      let plan = try bench.plan("stages: {t: {run: read, with: {text: TEXT}, retries: 1}}")
      let executor = RecordingExecutor(plan) { order, executor in
        let file = try #require(order.environment[StageEnding.fileVariable])
        #expect(!Files.exists(file))
        let isFirst = executor.attempts("t") == 1
        let failure = Failure(isFirst ? .inputOutput : .badData, isFirst ? "a bad disk" : "is empty", at: "a.txt")
        try StageEnding(failure).write(to: file)
        return .exited(failure.status.rawValue)
      }
      let runner = Runner(
        store: bench.store, executor: executor, clock: RecordingClock(), isQuiet: isQuiet,
        isInterrupted: { false })
      await #expect { try await runner.run(plan) } throws: { error in
        (error as? Failure)?.message.hasPrefix("stage t ended with 65\(isQuiet ? ": a.txt: is empty" : "") (log: ")
          == true
      }
    }
  }

  @Test func `a forced stage that fails leaves the earlier artifact`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let plan = try bench.plan(select: Selection(forced: ["a"]))
    await #expect(throws: Failure.self) {
      try await bench.run(plan, executor: RecordingExecutor(plan) { _, _ in .exited(70) })
    }
    #expect(Set(try bench.decisions().values) == [.upToDate])
  }

  @Test func `a program that ends well without its artifact is an internal error`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    await #expect {
      try await bench.run(plan, executor: RecordingExecutor(plan) { _, _ in .exited(0) })
    } throws: {
      ($0 as? Failure)?.message.contains("tempnet-read ended with 0, but its artifact does not exist") == true
    }
  }

  @Test func `on a network disk an artifact may come into sight later, but not never`() async throws {
    for isLate in [true, false] {
      let bench = try Bench()
      let plan = try bench.plan("stages: {t: {run: read, with: {text: TEXT}}}")
      let (executor, other) = (RecordingExecutor(plan) { _, _ in .exited(0) }, RecordingExecutor(plan))
      try Files.makeFolder(bench.store.artifacts)
      let clock = LateClock { count in
        guard isLate, count == 5 else { return }
        _ = try? other.publish(WorkOrder(stage: "t", program: "", arguments: [], environment: [:], log: ""))
      }
      let runner = Runner(
        store: bench.store, executor: executor, clock: clock, patience: 90, isInterrupted: { false })
      if isLate {
        try await runner.run(plan)
        #expect(clock.waits == 5)
      } else {
        await #expect { try await runner.run(plan) } throws: { "\($0)".contains("but its artifact does not exist") }
        #expect(clock.waits == 90)
      }
    }
  }

  @Test func `a clock that is set back leaves no negative times and no run without a folder of its own`() async throws {
    let bench = try Bench()
    let clock = BackwardClock()
    func run(_ settings: [String]) async throws -> String {
      let plan = try bench.plan(set: settings)
      return try #require(
        try await Runner(
          store: bench.store, executor: RecordingExecutor(plan), clock: clock, isInterrupted: { false }
        ).run(plan))
    }
    let folders = [try await run([]), try await run(["a.rho=7"]), try await run(["a.rho=8"])]
    #expect(Set(folders).count == 3)
    let record = try JSON(parsing: try Files.read("\(folders[0])/run.json"), source: "run.json")
    #expect(record["stages"]?["text"]?["seconds"] == 0.0)
    #expect(Set(try bench.decisions(set: ["a.rho=8"]).values) == [.upToDate])
  }

  @Test func `a stage that fails is named though the run cannot be recorded any more`() async throws {
    let bench = try Bench()
    let plan = try bench.plan("stages: {t: {run: read, with: {text: TEXT}}}")
    let executor = RecordingExecutor(plan) { order, _ in
      // Where the folder of the run was, nothing can be written.
      let folder = Files.folder(of: order.log)
      try Files.rename(folder, to: "\(folder)-moved")
      try AtomicFile.write("", to: folder)
      return .exited(74)
    }
    await #expect { try await bench.run(plan, executor: executor) } throws: {
      ($0 as? Failure)?.status == .inputOutput && "\($0)".contains("stage t ended with 74")
    }
  }

  @Test func `a program that is missing is found before anything runs`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    let runner = Runner(store: bench.store, executor: LocalExecutor(programs: bench.folder.path))
    await #expect { try await runner.run(plan) } throws: { ($0 as? Failure)?.status == .unavailable }
    #expect(!Files.exists(bench.store.artifacts))
  }
}

/// A clock that calls back whenever somebody waits.
final class WaitingClock: WallClock {
  private let count = Mutex(0)
  private let onSleep: @Sendable (Int) -> Void

  init(onSleep: @escaping @Sendable (Int) -> Void) { self.onSleep = onSleep }

  var now: Double { 0 }

  func sleep(seconds: Double) async throws {
    onSleep(
      count.withLock {
        $0 += 1
        return $0
      })
  }
}

/// A clock that moves only while somebody waits, and calls back then.
final class LateClock: WallClock {
  private let state = Mutex((now: 1_800_000_000.0, waits: 0))
  private let onSleep: @Sendable (Int) -> Void

  init(onSleep: @escaping @Sendable (Int) -> Void) { self.onSleep = onSleep }

  var now: Double { state.withLock { $0.now } }
  var waits: Int { state.withLock { $0.waits } }

  func sleep(seconds: Double) async throws {
    onSleep(
      state.withLock { state in
        state.now += seconds
        state.waits += 1
        return state.waits
      })
  }
}

/// A clock that goes back an hour whenever it is looked at.
final class BackwardClock: WallClock {
  private let time = Mutex(1_800_000_000.0)

  var now: Double {
    time.withLock { time in
      time -= 3600
      return time
    }
  }

  func sleep(seconds: Double) async throws {}
}

/// Waits until something is so.
func until(_ condition: @Sendable () -> Bool) async throws {
  for _ in 0..<1000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
  #expect(condition())
}
