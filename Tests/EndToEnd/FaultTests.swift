import Diagnostics
import Files
import Glibc
import JSON
import TestSupport
import Testing

/// When the disk fails at any call, the program ends with 74, no partial file looks like a result, earlier results
/// stay, and the same command comes to the same bytes when the cause is gone.
@Suite(.serialized, .enabled(if: slowTestsEnabled), UndisturbedPipeline(.tiny)) struct FaultTests {
  private static let stages = ["tokens", "model", "features", "tempnet", "evaluation", "bundle"]

  private let pipeline: TinyPipeline
  private let undisturbed: [String: ArtifactContent]

  init() throws {
    let made = try #require(UndisturbedPipeline.made)
    (pipeline, undisturbed) = (made.pipeline, made.results)
  }

  /// How many calls of a program a fault could disturb.
  private func calls(_ fault: Fault, _ stage: String) async throws -> Int {
    let (command, count) = (try pipeline.command(stage), pipeline.folder("count-\(stage)-\(fault.name)"))
    let outcome = try await command.program(
      command.arguments + ["--output", "counted/\(stage)-\(fault.name)"], in: command.folder,
      environment: fault.environment(from: nil, in: pipeline.folder("counted"), count: count))
    try #require(outcome.end == .exited(0), "\(outcome)")
    return try #require(Int(try text(count).prefix { $0 != " " }))
  }

  @Test(arguments: stages, [Fault.full, .broken])
  func `a stage whose disk fails ends with 74 and is finished by the next run`(stage: String, fault: Fault) async throws
  {
    let expected = try #require(undisturbed[stage])
    let count = try await calls(fault, stage)
    try #require(count >= 4)
    for call in places(among: count) {
      let (command, output) = (try pipeline.command(stage), "faults/\(stage)-\(fault.name)-\(call)")
      let outcome = try await command.program(
        command.arguments + ["--output", output], in: command.folder,
        environment: fault.environment(from: call, in: pipeline.folder("faults")))
      #expect(outcome.end == .exited(74), "call \(call) of \(count): \(outcome)")
      #expect(outcome.errors.contains("faults/\(stage)"), "\(outcome)")
      #expect(outcome.output.isEmpty, "\(outcome)")
      // The last calls only clean up, when the result is already complete.
      if Files.exists(pipeline.folder(output)) {
        #expect(try ArtifactContent(pipeline.folder(output)).differences(from: expected) == [])
      }
      #expect(try await command.finish(output).differences(from: expected) == [], "call \(call) of \(count)")
      #expect(!Files.exists(pipeline.folder("\(output).partial")))
    }
    for (name, content) in undisturbed { #expect(try ArtifactContent(pipeline.folder(name)) == content) }
  }

  @Test(arguments: stages)
  func `short writes do not change the result`(stage: String) async throws {
    let (command, output) = (try pipeline.command(stage), "short/\(stage)")
    let outcome = try await command.program(
      command.arguments + ["--output", output], in: command.folder,
      environment: Fault.short.environment(from: 1, in: pipeline.folder("short")))
    try #require(outcome.end == .exited(0), "\(outcome)")
    #expect(try ArtifactContent(pipeline.folder(output)).differences(from: try #require(undisturbed[stage])) == [])
  }

  @Test func `a folder that cannot be written to ends with 74`() async throws {
    let command = try pipeline.command("tempnet")
    for output in ["read-only", "read-only/deeper/output"] {
      let outcome = try await command.program(
        command.arguments + ["--output", output], in: command.folder,
        environment: Fault.readOnly.environment(from: 1, in: command.folder))
      #expect(outcome.end == .exited(74), "\(outcome)")
      #expect(outcome.errors.contains("Read-only file system"), "\(outcome)")
      #expect(!Files.exists(pipeline.folder(output)))
    }
  }

  /// A runner says this when all that it could not write is the name of a job, and goes on.
  private static let jobIsMissing = "the run's record lacks the job"

  /// Runs the pipeline with a fault of the runner's disk, and then without.
  ///
  /// - Returns: the end of the disturbed run.
  @discardableResult
  private func check(_ fault: Fault, at call: Int, of file: String? = nil, store: String) async throws -> Outcome.End {
    let outcome = try await pipeline.run(
      store: store,
      environment: fault.environment(from: call, in: pipeline.folder(store), program: .run, file: file))
    if outcome.end == .exited(0) {
      #expect(fault.isSingle && outcome.errors.contains(Self.jobIsMissing), "call \(call): \(outcome)")
      #expect(try pipeline.results(store: store) == undisturbed)
    } else {
      #expect(outcome.end == .exited(74), "call \(call): \(outcome)")
      #expect(!fault.isSingle || !outcome.errors.contains(Self.jobIsMissing), "call \(call): \(outcome)")
    }
    #expect(try processes(in: pipeline.folder.path) == [], "what the runner started ends with it")
    let artifacts = pipeline.folder("\(store)/artifacts")
    for name in (try? Files.list(artifacts)) ?? [] where !name.contains(".") {
      _ = try ArtifactContent("\(artifacts)/\(name)")
    }
    let again = try await pipeline.run(store: store)
    try #require(again.end == .exited(0), "\(again)")
    #expect(try pipeline.results(store: store) == undisturbed)
    return outcome.end
  }

  @Test(arguments: [Fault.full, .broken])
  func `a runner whose disk fails ends with 74 unless only a job's name is lost, and the next run continues`(
    fault: Fault
  )
    async throws
  {
    let count = pipeline.folder("count-runner-\(fault.name)")
    let store = "runner-\(fault.name)"
    let outcome = try await pipeline.run(
      store: store,
      environment: fault.environment(from: nil, in: pipeline.folder(store), program: .run, count: count))
    try #require(outcome.end == .exited(0), "\(outcome)")
    let calls = try #require(Int(try text(count).prefix { $0 != " " }))
    for call in places(among: calls) { try await check(fault, at: call, store: "\(store)-\(call)") }
  }

  /// Call 1 opens the record of changes. Each change is then written and synchronised; the first stage has three: that it
  /// began, its job, and how it ended.
  @Test(arguments: 1...7)
  func `a runner goes on without the record of a job, and without no other change of a stage`(call: Int) async throws {
    let end = try await check(.broken, at: call, of: "events.jsonl", store: "events-\(call)")
    #expect(end == .exited([4, 5].contains(call) ? 0 : 74))
  }

  @Test func `the record of a killed run can be read although a change was half written`() async throws {
    let store = "half"
    // The job of the first stage.
    let environment = try await Fault.broken.environment(
      from: 4, in: pipeline.folder(store), program: .run, file: "events.jsonl")
    let runner = try pipeline.start(store: store, environment: environment)
    while !Files.exists(pipeline.folder("\(store)/latest/tiny/tokens")) {
      try #require(runner.isRunning)
      try await Task.sleep(for: .milliseconds(2))
    }
    runner.send(SIGKILL)
    let outcome = try await runner.outcome()
    try #require(outcome.end == .killed(signal: SIGKILL) && outcome.errors.contains(Self.jobIsMissing), "\(outcome)")
    let run = try #require(try Files.list(pipeline.folder("\(store)/runs/tiny")).first)
    let events = pipeline.folder("\(store)/runs/tiny/\(run)/events.jsonl")
    // The kill may have cut the last line.
    let changes = try text(events).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map {
      try JSON(parsing: Array($0.utf8), source: events, for: .strict)
    }
    let end = try #require(changes.first { $0["name"] == "tokens" && $0["state"] == "made" })
    #expect(end["job"]?.stringValue != nil)
  }

  @Test(arguments: [(Program.pretrain, 20), (.features, 8), (.export, 5)])
  func `a runner names the stage whose disk was full and ends with its code`(program: Program, call: Int) async throws {
    let store = "full-\(program.name)"
    let fault = try await Fault.full.environment(from: call, in: pipeline.folder(store), program: program)
    let outcome = try await pipeline.run(store: store, environment: fault)
    #expect(outcome.end == .exited(74), "\(outcome)")
    let stage = try #require(pipeline.stages.first { $0.program.name == program.name }).name
    #expect(outcome.errors.contains("\(stage): \(program.name): error: "), "\(outcome)")
    #expect(outcome.errors.contains("error: stage \(stage) ended with 74 (log: "), "\(outcome)")
    #expect(outcome.errors.contains("No space left on device"), "\(outcome)")
    let again = try await pipeline.run(store: store)
    try #require(again.end == .exited(0), "\(again)")
    #expect(try pipeline.results(store: store) == undisturbed)
  }
}
