import Diagnostics
import Files
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

  /// Runs the pipeline with a fault, and then without.
  private func check(_ fault: Fault, _ program: Program, at call: Int, store: String) async throws {
    let outcome = try await pipeline.run(
      store: store,
      environment: fault.environment(from: call, in: pipeline.folder(store), program: program))
    // A single call may fail where nothing depends on it: then the run is whole, which the results show.
    let isWhole = try outcome.end == .exited(0) && fault.isSingle && pipeline.results(store: store) == undisturbed
    #expect(outcome.end == .exited(74) || isWhole, "call \(call) of \(program.name): \(outcome)")
    #expect(try processes(in: pipeline.folder.path) == [], "what the runner started ends with it")
    let artifacts = pipeline.folder("\(store)/artifacts")
    for name in (try? Files.list(artifacts)) ?? [] where !name.contains(".") {
      _ = try ArtifactContent("\(artifacts)/\(name)")
    }
    let again = try await pipeline.run(store: store)
    try #require(again.end == .exited(0), "\(again)")
    #expect(try pipeline.results(store: store) == undisturbed)
  }

  @Test(arguments: [Fault.full, .broken])
  func `a runner whose disk fails ends with 74 or has the whole result, and the next run continues`(fault: Fault)
    async throws
  {
    let count = pipeline.folder("count-runner-\(fault.name)")
    let store = "runner-\(fault.name)"
    let outcome = try await pipeline.run(
      store: store,
      environment: fault.environment(from: nil, in: pipeline.folder(store), program: .run, count: count))
    try #require(outcome.end == .exited(0), "\(outcome)")
    let calls = try #require(Int(try text(count).prefix { $0 != " " }))
    for call in places(among: calls) { try await check(fault, .run, at: call, store: "\(store)-\(call)") }
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
