import Artifacts
import Glibc
import TestSupport
import Testing

/// Whatever happens to a process, going on comes to the same bytes as never having been disturbed.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct InterruptionTests {
  private var pipeline: TinyPipeline

  init() throws {
    pipeline = try TinyPipeline()
    pipeline.prolong()
    try pipeline.writeFile()
  }

  @Test(arguments: TinyPipeline.stagesWithCheckpoints)
  func `a stage killed three times writes the same bytes`(stage: String) async throws {
    try await pipeline.makeInputs(of: stage)
    let command = try pipeline.command(stage)
    let undisturbed = try await command.finish("undisturbed")
    try await command.kill("killed", times: 3)
    #expect(!Files.exists(pipeline.folder("killed")), "nothing half done may look like an artifact")
    #expect(try await command.finish("killed").differences(from: undisturbed) == [])
  }

  @Test(arguments: TinyPipeline.stagesWithCheckpoints)
  func `a stage told to end saves its work, ends with 75 and goes on`(stage: String) async throws {
    try await pipeline.makeInputs(of: stage)
    let command = try pipeline.command(stage)
    let undisturbed = try await command.finish("undisturbed")
    let outcome = try await command.kill("ended", once: .checkpoints(1), signal: SIGTERM)
    #expect(outcome.end == .exited(75), "\(outcome)")
    #expect(outcome.output.isEmpty, "\(outcome)")
    #expect(!Files.exists(pipeline.folder("ended")))
    #expect(try await command.finish("ended").differences(from: undisturbed) == [])
  }

  @Test(arguments: TinyPipeline.stagesWithCheckpoints)
  func `two processes at once: one works, the other says who does`(stage: String) async throws {
    try await pipeline.makeInputs(of: stage)
    let command = try pipeline.command(stage)
    let first = try command.program.start(command.arguments + ["--output", "shared"], in: command.folder)
    while !Files.exists(pipeline.folder("shared.partial/identity.json")) { try await Task.sleep(for: .milliseconds(2)) }
    let second = try await command.program(command.arguments + ["--output", "shared"], in: command.folder)
    #expect(second.end == .exited(75), "\(second)")
    #expect(try await first.outcome().end == .exited(0))
  }

  @Test func `a runner killed in training, and run again, comes to the same bytes`() async throws {
    let undisturbed = try await results(store: "undisturbed")
    for _ in 1...3 {
      let runner = try pipeline.start(store: "killed")
      try await waitForTraining(runner, store: "killed")
      runner.send(SIGKILL)
      #expect(try await runner.outcome().end == .killed(signal: SIGKILL))
    }
    #expect(try await results(store: "killed") == undisturbed)
  }

  @Test func `a runner told to end passes it on, ends with 75 and goes on`() async throws {
    let undisturbed = try await results(store: "undisturbed")
    let runner = try pipeline.start(store: "ended")
    try await waitForTraining(runner, store: "ended")
    runner.send(SIGTERM)
    let outcome = try await runner.outcome()
    #expect(outcome.end == .exited(75), "\(outcome)")
    #expect(try await results(store: "ended") == undisturbed)
  }

  @Test func `two runners on one store do each other no harm`() async throws {
    async let first = pipeline.run(store: "shared")
    async let second = pipeline.run(store: "shared")
    for outcome in try await [first, second] { #expect(outcome.end == .exited(0), "\(outcome)") }
    let shared = try pipeline.results(store: "shared")
    #expect(try await results(store: "undisturbed") == shared)
  }

  private func results(store: String) async throws -> [String: ArtifactContent] {
    let outcome = try await pipeline.run(store: store)
    try #require(outcome.end == .exited(0), "\(outcome)")
    return try pipeline.results(store: store)
  }

  /// Waits until the model has been trained for three checkpoints, and a random while longer.
  private func waitForTraining(_ runner: RunningProgram, store: String) async throws {
    let artifacts = pipeline.folder("\(store)/artifacts")
    var seen: Set<String> = []
    while seen.count < 3 {
      try #require(runner.isRunning, "the pipeline was done before it could be stopped")
      let partial = (try? Files.list(artifacts))?.first { $0.hasPrefix("pretrain-") && $0.hasSuffix(".partial") }
      let names = partial.flatMap { try? Files.list("\(artifacts)/\($0)/checkpoints") } ?? []
      seen.formUnion(names.filter { Int($0) != nil })
      try await Task.sleep(for: .milliseconds(2))
    }
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...500)))
  }
}
