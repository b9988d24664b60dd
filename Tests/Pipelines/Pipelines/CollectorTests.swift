import Artifacts
import Diagnostics
import Files
import Pipelines
import Synchronization
import Testing

@Suite struct CollectorTests {
  @Test func `what earlier settings left is garbage, with its size`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let old = try bench.plan()
    #expect(try Collector(bench.store).garbage().isEmpty)
    try await bench.run(try bench.plan(set: ["a.rho=7"]))
    let collector = Collector(bench.store)
    let garbage = try collector.garbage()
    #expect(Set(garbage.map(\.path)) == Set(["a", "words", "bundle"].compactMap { old[$0]?.output }))
    #expect(garbage.allSatisfy { $0.size > 500 })
    #expect(try collector.remove(garbage).isEmpty)
    #expect(try bench.decisions(set: ["a.rho=7"]).values.allSatisfy { $0 == .upToDate })
    #expect(try bench.decisions()["a"] != .upToDate)
  }

  @Test func `what is no artifact is left alone`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    for name in ["thesis", "fit-notes", "notes.md", "a-0123456789abcdeg"] {
      try Files.makeFolder("\(bench.store.artifacts)/\(name)")
    }
    try Files.makeFolder("\(bench.store.artifacts)/a-0123456789abcdef")
    #expect(try Collector(bench.store).garbage().map { Files.name(of: $0.path) } == ["a-0123456789abcdef"])
  }

  @Test func `unfinished work is garbage unless it is going on`() throws {
    let bench = try Bench()
    let stage = try #require(try bench.plan()["text"])
    var builder: ArtifactBuilder? = try ArtifactBuilder(output: stage.output, identity: stage.identity)
    try Files.makeFolder("\(try #require(builder).checkpointsPath)/000000000001")
    #expect(try Collector(bench.store).garbage().isEmpty)
    withExtendedLifetime(builder) {}
    builder = nil
    #expect(try Collector(bench.store).garbage().map(\.path) == ["\(stage.output).partial"])
  }

  @Test func `unfinished work is kept for as long as it is the latest run's`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    let unfinished = "\(try #require(plan["words"]).output).partial"
    let executor = RecordingExecutor(plan) { order, executor in
      guard order.stage == "words" else { return try executor.publish(order) }
      try Files.makeFolder("\(unfinished)/content")
      return .exited(ExitStatus.tryAgain.rawValue)
    }
    await #expect(throws: Failure.self) { try await bench.run(plan, executor: executor) }
    #expect(try Collector(bench.store).garbage().isEmpty)
    try await bench.run(try bench.plan(set: ["a.rho=7"]))
    #expect(try Collector(bench.store).garbage().contains { $0.path == unfinished })
  }

  @Test func `of runs that began in the same second the latest is the one with the greatest number`() async throws {
    let bench = try Bench()
    var works: [String] = []
    for (setting, name) in [("a.rho=7", "20270101T000000Z-9"), ("a.rho=8", "20270101T000000Z-10")] {
      let plan = try bench.plan(set: [setting])
      let work = "\(try #require(plan["words"]).output).partial"
      let executor = RecordingExecutor(plan) { order, executor in
        guard order.stage == "words" else { return try executor.publish(order) }
        try Files.makeFolder("\(work)/content")
        return .exited(ExitStatus.tryAgain.rawValue)
      }
      await #expect(throws: Failure.self) { try await bench.run(plan, executor: executor) }
      let runs = bench.store.runs(of: plan.pipeline)
      let made = try #require(try Files.list(runs).first { !$0.contains("-") })
      try Files.rename("\(runs)/\(made)", to: "\(runs)/\(name)")
      works.append(work)
    }
    let garbage = try Collector(bench.store).garbage().map(\.path)
    #expect(garbage.contains(works[0]) && !garbage.contains(works[1]))
  }

  @Test func `an empty store holds no garbage`() throws {
    #expect(try Collector(Store("/nonexistent")).garbage().isEmpty)
  }

  @Test func `what a run that goes on makes and reads is kept, whatever later runs have noted`() async throws {
    let bench = try Bench()
    let plan = try bench.plan()
    let later = try bench.plan(set: ["a.rho=7", "b.rho=7"])
    let seen = Mutex<[Collector.Item]>([])
    let executor = RecordingExecutor(plan) { order, executor in
      let end = try executor.publish(order)
      guard order.stage == "words" else { return end }
      // The same pipeline with other settings takes over every name in the ledger.
      try await bench.run(later)
      try Files.makeFolder("\(try #require(plan["bundle"]).output).partial/content")
      let garbage = try Collector(bench.store).garbage()
      seen.withLock { $0 = garbage }
      return end
    }
    try await bench.run(plan, executor: executor)
    #expect(seen.withLock { $0 }.isEmpty)
    try await bench.run(try bench.plan(set: ["a.rho=7", "b.rho=7"]))
    #expect(try Collector(bench.store).garbage().count == 4, "once the run is over its results are garbage")
  }

  @Test func `what someone has begun to make is left alone`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let old = try #require(try bench.plan()["a"])
    try await bench.run(try bench.plan(set: ["a.rho=7"]))
    let collector = Collector(bench.store)
    let garbage = try collector.garbage()
    let lock = try FileLock(ArtifactBuilder.lock(for: old.output))
    #expect(try collector.remove(garbage).map(\.path) == [old.output])
    withExtendedLifetime(lock) {}
    #expect(Files.exists(old.output))
  }

  @Test func `a run that was planned with what is gone says so before anything runs`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    let plan = try bench.plan(set: ["a.rho=7"])
    try Files.remove(try #require(plan["text"]).output)
    let executor = RecordingExecutor(plan)
    await #expect { try await bench.run(plan, executor: executor) } throws: {
      ($0 as? Failure)?.status == .tryAgain && "\($0)".contains("the result of text was removed")
    }
    #expect(executor.orders.isEmpty)
  }
}
