import Artifacts
import Configuration
import Diagnostics
import Files
import Glibc
import JSON
import TestSupport
import Testing

@testable import Pipelines

/// Several pipelines in one store, which may have one name, and may have been moved.
@Suite struct SharedStoreTests {
  private let bench: Bench

  init() throws { bench = try Bench() }

  private static func yaml(rho: Double, name: String? = nil) -> String {
    """
    \(name.map { "pipeline: \($0)" } ?? "")
    stages:
      text: {run: read, with: {text: TEXT}}
      a: {run: train, from: {tokens: text}, with: {rho: \(rho)}}
    """
  }

  private func path(_ name: String) -> String { "\(bench.folder.path)/\(name)" }

  private func write(_ file: String, rho: Double, name: String? = nil) throws {
    try Files.makeFolder(Files.folder(of: path(file)))
    try AtomicFile.write(Self.yaml(rho: rho, name: name).replacing("TEXT", with: path("text.txt")), to: path(file))
  }

  private func plan(_ file: String, store: Store? = nil) throws -> Plan {
    let pipeline = try PipelineSpecification(file: file.hasPrefix("/") ? file : path(file), known: Samples.all)
    return try Workspace(pipeline: pipeline, store: store ?? bench.store).plan()
  }

  @discardableResult
  private func run(_ file: String, store: Store? = nil) async throws -> Plan {
    let plan = try plan(file, store: store)
    try await Runner(
      store: store ?? bench.store, executor: RecordingExecutor(plan), clock: RecordingClock(),
      isInterrupted: { false }
    ).run(plan)
    return plan
  }

  private func label(_ file: String, store: Store? = nil) throws -> String {
    try (store ?? bench.store).records(of: try plan(file, store: store).identity).label
  }

  private func isUpToDate(_ file: String) throws -> Bool {
    try plan(file).stages.allSatisfy { $0.decision == .upToDate }
  }

  private func collect() throws -> Collector.Findings {
    let findings = try Collector(bench.store).findings()
    _ = try Collector(bench.store).remove(findings.garbage)
    return findings
  }

  @Test func `of two pipelines of one name neither loses what its latest run needs`() async throws {
    for file in ["p/pipeline.yaml", "q/pipeline.yaml"] { try write(file, rho: file.hasPrefix("p") ? 7 : 8) }
    let (p, q) = (try await run("p/pipeline.yaml"), try await run("q/pipeline.yaml"))
    #expect(try collect().garbage.isEmpty)
    #expect(try isUpToDate("p/pipeline.yaml") && isUpToDate("q/pipeline.yaml"))
    // The first has the name, the second has more.
    let label = try label("q/pipeline.yaml")
    #expect(try self.label("p/pipeline.yaml") == "pipeline" && label.wholeMatch(of: /pipeline-[0-9a-f]{8}/) != nil)
    for (label, plan) in [("pipeline", p), (label, q)] {
      #expect(try Artifact.open("\(bench.store.path)/latest/\(label)/a").key == plan["a"]?.key)
      #expect(try bench.store.runNames(of: label).count == 1)
    }
    // What a pipeline's reasons compare with is its own last run.
    try write("p/pipeline.yaml", rho: 9)
    #expect(try plan("p/pipeline.yaml")["a"]?.decision == .run("configuration.rho was 7, is 9"))
    try await run("p/pipeline.yaml")
    #expect(try collect().garbage.map(\.path) == [p["a"]?.output])
    #expect(try isUpToDate("p/pipeline.yaml") && isUpToDate("q/pipeline.yaml"))
  }

  @Test func `one name in two files is two pipelines, and one file under two names is one`() async throws {
    try write("one.yaml", rho: 7, name: "base")
    try write("two.yaml", rho: 8, name: "base")
    let old = try await run("one.yaml")
    try await run("two.yaml")
    try write("one.yaml", rho: 7, name: "other")
    #expect(try isUpToDate("one.yaml") && label("one.yaml") == "other")
    try await run("one.yaml")
    #expect(try collect().garbage.isEmpty)
    #expect(try Files.list("\(bench.store.path)/latest/other") == ["a", "text"])
    #expect(!Files.exists(bench.store.ledger(of: "base")) && !Files.exists("\(bench.store.path)/latest/base"))
    try write("one.yaml", rho: 9, name: "third")
    #expect(try plan("one.yaml")["a"]?.decision == .run("configuration.rho was 7, is 9"))
    try await run("one.yaml")
    #expect(try collect().garbage.map(\.path) == [old["a"]?.output])
    // And back again.
    try write("one.yaml", rho: 9, name: "base")
    try await run("one.yaml")
    #expect(try label("one.yaml") == "base" && !Files.exists(bench.store.ledger(of: "third")))
    #expect(try isUpToDate("one.yaml") && isUpToDate("two.yaml") && collect().garbage.isEmpty)
  }

  @Test func `letters of all scripts are kept in names`() async throws {
    for (index, name) in ["実験", "模型", "Zürich", "опыт-2", "ทดลอง"].enumerated() {
      try write("\(name).yaml", rho: Double(index))
      try await run("\(name).yaml")
      #expect(try label("\(name).yaml") == name)
      #expect(try Files.list("\(bench.store.path)/latest/\(name)") == ["a", "text"])
    }
    #expect(try collect().garbage.isEmpty)
    try write("named.yaml", rho: 1, name: "試験")
    #expect(try plan("named.yaml").pipeline == "試験")
    _ = try StoreReport(bench.store).write()
  }

  @Test(arguments: [
    ("a b.yaml", "a+b.yaml"), ("run.1.yaml", "run.2.yaml"), ("e\u{301}.yaml", "\u{e9}.yaml"), ("🦆.yaml", "🦉.yaml"),
    (String(repeating: "長", count: 61) + ".yaml", String(repeating: "長", count: 62) + ".yaml"),
  ])
  func `two files whose names come to one are told apart`(_ first: String, _ second: String) async throws {
    try write(first, rho: 7)
    try write(second, rho: 8)
    try await run(first)
    try await run(second)
    #expect(try collect().garbage.isEmpty)
    #expect(try isUpToDate(first) && isUpToDate(second))
    #expect(try ExactString(label(first)) != ExactString(label(second)))
  }

  @Test func `links and other spellings of a path lead to the same pipeline`() async throws {
    try write("p/pipeline.yaml", rho: 7)
    try await run("p/pipeline.yaml")
    try Files.link(path("q"), to: "p")
    try Files.makeFolder(path("r"))
    try Files.link(path("r/pipeline.yaml"), to: "../p/pipeline.yaml")
    for spelling in ["q/pipeline.yaml", "p/../p//pipeline.yaml", "r/pipeline.yaml"] {
      #expect(try label(spelling) == "pipeline")
    }
    try Files.link(path("linked-store"), to: "store")
    #expect(try label("p/pipeline.yaml", store: Store(path("linked-store"))) == "pipeline")
  }

  @Test func `a folder that is moved or copied with its store stays the pipeline's`() async throws {
    try write("here/p.yaml", rho: 7)
    try await run("here/p.yaml", store: Store(path("here/store")))
    try Files.rename(path("here"), to: path("there"))
    #expect(try label("there/p.yaml", store: Store(path("there/store"))) == "p")
    try await run("there/p.yaml", store: Store(path("there/store")))
    // From now on it is known by its new place.
    #expect(
      try Ledger(reading: path("there/store/pipelines/p.json")).origin?.file.text.hasSuffix("there/p.yaml") == true)
    // The store alone is moved to another checkout, whose file has the same place beside it.
    try write("elsewhere/p.yaml", rho: 8)
    try Files.rename(path("there/store"), to: path("elsewhere/store"))
    let store = Store(path("elsewhere/store"))
    #expect(try label("there/p.yaml", store: store) == "p" && label("elsewhere/p.yaml", store: store) != "p")
  }

  @Test func `a file that is moved alone is a new pipeline, and what it had before is kept`() async throws {
    try write("p.yaml", rho: 7)
    try await run("p.yaml")
    try Files.makeFolder(path("sub"))
    try Files.rename(path("p.yaml"), to: path("sub/p.yaml"))
    #expect(try isUpToDate("sub/p.yaml"))
    try write("sub/p.yaml", rho: 8)
    try await run("sub/p.yaml")
    // A person is told how to let go of it.
    let findings = try collect()
    #expect(findings.garbage.isEmpty && findings.abandoned.map { $0.file.map(Files.name) } == ["p.yaml"])
    for record in findings.abandoned[0].records { try Files.remove(record) }
    #expect(try collect().garbage.count == 1)
    #expect(try isUpToDate("sub/p.yaml"))
  }

  @Test func `two that begin at once get two labels`() async throws {
    let files = (0..<6).map { "p\($0)/pipeline.yaml" }
    for (index, file) in files.enumerated() { try write(file, rho: Double(index)) }
    let plans = try files.map { try plan($0) }
    let labels = try await withThrowingTaskGroup { group in
      for plan in plans { group.addTask { try bench.store.note([], of: plan.identity) } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(labels.count == files.count)
    for file in files { try await run(file) }
    #expect(try Set(files.map { try label($0) }).count == files.count)
    #expect(try collect().garbage.isEmpty)
    for file in files { #expect(try isUpToDate(file)) }
  }

  /// A plan of a pipeline that comes through a pipe.
  private func pipedPlan(rho: Double, name: String) throws -> Plan {
    var descriptors: [Int32] = [0, 0]
    try #require(pipe(&descriptors) == 0)
    defer { close(descriptors[0]) }
    let text = Self.yaml(rho: rho, name: name).replacing("TEXT", with: path("text.txt"))
    _ = Array(text.utf8).withUnsafeBytes { Glibc.write(descriptors[1], $0.baseAddress, $0.count) }
    close(descriptors[1])
    return try plan("/proc/self/fd/\(descriptors[0])")
  }

  @Test func `what comes through pipes is told apart by its name, and a person is told how to let go of it`()
    async throws
  {
    var outputs: [String?] = []
    for rho in [7.0, 8, 9] {
      let plan = try pipedPlan(rho: rho, name: "piped")
      if rho > 7 { #expect(plan["a"]?.decision == .run("configuration.rho was \(Int(rho) - 1), is \(Int(rho))")) }
      try await bench.run(plan)
      outputs.append(plan["a"]?.output)
    }
    try await bench.run(try pipedPlan(rho: 6, name: "other"))
    var findings = try collect()
    #expect(findings.garbage.map(\.path) == outputs.dropLast().compactMap { $0 }.sorted())
    #expect(findings.abandoned.map(\.label) == ["other", "piped"] && findings.abandoned.allSatisfy { $0.file == nil })
    for record in findings.abandoned[1].records { try Files.remove(record) }
    findings = try collect()
    #expect(findings.garbage.map(\.path) == [outputs[2]] && findings.abandoned.map(\.label) == ["other"])
  }

  @Test func `a deleted file that a shell passes on has no path`() throws {
    try write("p.yaml", rho: 7, name: "here")
    let file = try #require(fopen(path("p.yaml"), "r"))
    defer { fclose(file) }
    try Files.remove(path("p.yaml"))
    #expect(try plan("/proc/self/fd/\(fileno(file))").identity.file == pipedPlan(rho: 7, name: "here").identity.file)
  }

  @Test func `partial and failed runs of one pipeline leave the other's alone`() async throws {
    try write("p/pipeline.yaml", rho: 7)
    try write("q/pipeline.yaml", rho: 8)
    try await run("p/pipeline.yaml")
    let failing = try plan("q/pipeline.yaml")
    await #expect(throws: Failure.self) {
      try await bench.run(
        failing,
        executor: RecordingExecutor(failing) { order, executor in
          order.stage == "a" ? .exited(65) : try executor.publish(order)
        })
    }
    let pipeline = try PipelineSpecification(file: path("q/pipeline.yaml"), known: Samples.all)
    let partial = try Workspace(pipeline: pipeline, store: bench.store).plan(Selection(stages: ["text"]))
    try await bench.run(partial)
    #expect(try collect().garbage.isEmpty)
    #expect(try isUpToDate("p/pipeline.yaml"))
  }

  // MARK: Stores of earlier versions

  /// Takes out what earlier versions did not write.
  private func makeEarlier(_ file: String, source: String? = nil) throws {
    var members = try #require(try JSON(parsing: try Files.read(file), source: file).objectValue)
    (members["file"], members["store"]) = (nil, nil)
    if let source { members["source"] = .string(source) }
    try AtomicFile.write(JSON.object(members).pretty, to: file)
  }

  private func makeEarlier(run: String, of label: String, source: String) throws {
    try makeEarlier("\(bench.store.runs(of: label))/\(run)/run.json", source: source)
  }

  @Test func `a store of an earlier version is read, and the pipeline keeps its name`() async throws {
    try write("p.yaml", rho: 7)
    let old = try await run("p.yaml")
    try makeEarlier(bench.store.ledger(of: "p"))
    try makeEarlier(run: try #require(try bench.store.runNames(of: "p").first), of: "p", source: "./p.yaml")
    #expect(try collect() == Collector.Findings())
    try write("p.yaml", rho: 8)
    #expect(try plan("p.yaml")["a"]?.decision == .run("configuration.rho was 7, is 8") && label("p.yaml") == "p")
    try await run("p.yaml")
    #expect(try label("p.yaml") == "p")
    // Another pipeline of that name may have noted it; a person is told how to let go of it.
    var findings = try collect()
    #expect(findings.garbage.isEmpty && findings.kept.map(\.path) == [old["a"]?.output])
    #expect(findings.keepers.count == 2)
    for keeper in findings.keepers { try Files.remove(keeper) }
    findings = try collect()
    #expect(findings.garbage.map(\.path) == [old["a"]?.output] && findings.kept.isEmpty)
    #expect(try isUpToDate("p.yaml"))
  }

  @Test func `of two pipelines that share a name in an earlier version's store nothing is lost`() async throws {
    for (file, rho) in [("p/pipeline.yaml", 7.0), ("q/pipeline.yaml", 8)] { try write(file, rho: rho) }
    // The earlier version had one ledger and one folder of runs for both; the second's were the latest.
    try await run("p/pipeline.yaml")
    let (runs, first) = (bench.store.runs(of: "pipeline"), "20260101T000000Z")
    try Files.rename("\(runs)/\(try #require(try Files.list(runs).first))", to: "\(runs)/\(first)")
    try Files.remove(bench.store.ledger(of: "pipeline"))
    try makeEarlier(run: first, of: "pipeline", source: "p/pipeline.yaml")
    try await run("q/pipeline.yaml")
    let label = try label("q/pipeline.yaml")
    try #require(label != "pipeline")
    let second = try #require(try bench.store.runNames(of: label).first)
    try Files.rename("\(bench.store.runs(of: label))/\(second)", to: "\(runs)/\(second)")
    try Files.rename(bench.store.ledger(of: label), to: bench.store.ledger(of: "pipeline"))
    try makeEarlier(bench.store.ledger(of: "pipeline"))
    try makeEarlier(run: second, of: "pipeline", source: "q/pipeline.yaml")

    #expect(try collect() == Collector.Findings())
    #expect(try self.label("q/pipeline.yaml") == "pipeline" && self.label("p/pipeline.yaml") != "pipeline")
    for rho in [8.0, 9] {
      // Whoever runs first, and whatever it makes now, the other's results stay.
      try write("p/pipeline.yaml", rho: rho - 1)
      try await run("p/pipeline.yaml")
      #expect(try collect().garbage.isEmpty)
      try write("q/pipeline.yaml", rho: rho)
      try await run("q/pipeline.yaml")
      #expect(try isUpToDate("p/pipeline.yaml") && isUpToDate("q/pipeline.yaml"))
    }
  }

  @Test func `an earlier version that runs on this store takes nothing from anyone`() async throws {
    for (file, rho) in [("p/pipeline.yaml", 7.0), ("q/pipeline.yaml", 8)] { try write(file, rho: rho) }
    try await run("p/pipeline.yaml")
    let other = try await run("q/pipeline.yaml")
    // It knows names alone: it writes over the ledger of the first, and its run lies among those.
    let label = try label("q/pipeline.yaml")
    let run = try #require(try bench.store.runNames(of: label).first)
    try makeEarlier(run: run, of: label, source: "q/pipeline.yaml")
    try Files.rename("\(bench.store.runs(of: label))/\(run)", to: "\(bench.store.runs(of: "pipeline"))/\(run)-7")
    try Files.remove(bench.store.ledger(of: "pipeline"))
    try Files.rename(bench.store.ledger(of: label), to: bench.store.ledger(of: "pipeline"))
    try makeEarlier(bench.store.ledger(of: "pipeline"))
    #expect(try collect().garbage.isEmpty)
    try await self.run("p/pipeline.yaml")
    try write("q/pipeline.yaml", rho: 9)
    try await self.run("q/pipeline.yaml")
    #expect(try collect().garbage.isEmpty)
    #expect(try isUpToDate("p/pipeline.yaml") && Files.exists(try #require(other["a"]?.output)))
  }

  @Test func `a run's record that is damaged keeps gc from removing anything`() async throws {
    try write("p.yaml", rho: 7)
    try await run("p.yaml")
    let run = try #require(try bench.store.runNames(of: "p").first)
    try AtomicFile.write("{", to: "\(bench.store.runs(of: "p"))/\(run)/run.json")
    #expect { try Collector(bench.store).garbage() } throws: {
      ($0 as? Failure)?.status == .badData && "\($0)".contains("the needs of this run are unknown")
    }
  }
}
