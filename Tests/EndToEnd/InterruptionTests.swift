import Files
import Glibc
import TestSupport
import Testing

/// A process that is stopped in any way continues to the bytes of an undisturbed run.
@Suite(.serialized, .enabled(if: slowTestsEnabled), UndisturbedPipeline(.long)) struct InterruptionTests {
  private static let stagesWithCheckpoints = ["model", "features", "tempnet", "evaluation"]

  private let pipeline: TinyPipeline
  private let undisturbed: [String: ArtifactContent]
  private let durations: [String: Duration]

  init() throws {
    let made = try #require(UndisturbedPipeline.made)
    (pipeline, undisturbed, durations) = (made.pipeline, made.results, made.durations)
  }

  @Test(arguments: stagesWithCheckpoints)
  func `a stage killed three times writes the same bytes`(stage: String) async throws {
    let (command, output) = (try pipeline.command(stage), "\(stage)-killed")
    try await command.kill(output, times: 3, of: #require(durations[stage]))
    #expect(!Files.exists(pipeline.folder(output)), "nothing half done may look like an artifact")
    #expect(try await command.finish(output).differences(from: try #require(undisturbed[stage])) == [])
  }

  @Test(arguments: stagesWithCheckpoints)
  func `a stage with SIGTERM saves its work, ends with 75, and continues`(stage: String) async throws {
    let (command, output) = (try pipeline.command(stage), "\(stage)-ended")
    let outcome = try await command.kill(
      output, once: .checkpoints(1), within: #require(durations[stage]) / 8, signal: SIGTERM)
    #expect(outcome.end == .exited(75), "\(outcome)")
    #expect(outcome.output.isEmpty, "\(outcome)")
    #expect(!Files.exists(pipeline.folder(output)))
    #expect(try await command.finish(output).differences(from: try #require(undisturbed[stage])) == [])
  }

  @Test(arguments: [SIGKILL, SIGTERM])
  func `an evaluation stopped inside a task continues with the next item to the same bytes`(
    signal: Int32
  ) async throws {
    let (command, output) = (try pipeline.command("evaluation"), "evaluation-stopped-\(signal)")
    let log = "checkpoints/task-choices.jsonl"
    var done: [UInt8] = []
    for _ in 0..<2 {
      // Some batches further than before.
      let outcome = try await command.kill(
        output, once: .bytes(done.count + 8_000, in: log), within: .milliseconds(10), signal: signal)
      #expect(outcome.end == (signal == SIGTERM ? .exited(75) : .killed(signal: signal)), "\(outcome)")
      let now = try Files.read(pipeline.folder("\(output).partial/\(log)"))
      // The scored lines are still there.
      #expect(now.count > done.count && now.starts(with: done))
      done = now
    }
    #expect(try await command.finish(output).differences(from: try #require(undisturbed["evaluation"])) == [])
  }

  @Test func `a second process for the same artifact is refused with the id of the first`() async throws {
    let (command, output) = (try pipeline.command("model"), "model-shared")
    let first = try command.program.start(command.arguments + ["--output", output], in: command.folder)
    while !Files.exists(pipeline.folder("\(output).partial/identity.json")) {
      try #require(first.isRunning)
      try await Task.sleep(for: .milliseconds(2))
    }
    let second = try await command.program(command.arguments + ["--output", output], in: command.folder)
    #expect(second.end == .exited(75), "\(second)")
    #expect(second.errors.contains("\(first.processIdentifier)"), "\(second)")
    #expect(try await first.outcome().end == .exited(0))
  }

  @Test func `a runner killed in training three times, and run again, comes to the same bytes`() async throws {
    for _ in 1...3 {
      let runner = try pipeline.start(store: "killed")
      try await waitForTraining(runner, store: "killed")
      runner.send(SIGKILL)
      #expect(try await runner.outcome().end == .killed(signal: SIGKILL))
    }
    #expect(try await finish(store: "killed") == undisturbed)
  }

  @Test func `a runner with SIGTERM passes it to its stages, ends with 75, and continues`() async throws {
    let runner = try pipeline.start(store: "ended")
    try await waitForTraining(runner, store: "ended")
    runner.send(SIGTERM)
    let outcome = try await runner.outcome()
    #expect(outcome.end == .exited(75), "\(outcome)")
    #expect(try await finish(store: "ended") == undisturbed)
  }

  @Test func `two runners on one store do each other no harm`() async throws {
    async let first = pipeline.run(store: "shared")
    async let second = pipeline.run(store: "shared")
    for outcome in try await [first, second] { #expect(outcome.end == .exited(0), "\(outcome)") }
    #expect(try pipeline.results(store: "shared") == undisturbed)
  }

  private func finish(store: String) async throws -> [String: ArtifactContent] {
    let outcome = try await pipeline.run(store: store)
    try #require(outcome.end == .exited(0), "\(outcome)")
    return try pipeline.results(store: store)
  }

  /// Waits for three more checkpoints of the model, and then for a random time.
  private func waitForTraining(_ runner: RunningProgram, store: String) async throws {
    let artifacts = pipeline.folder("\(store)/artifacts")
    func checkpoints() -> Set<String> {
      let partial = (try? Files.list(artifacts))?.first { $0.hasPrefix("pretrain-") && $0.hasSuffix(".partial") }
      let names = partial.flatMap { try? Files.list("\(artifacts)/\($0)/checkpoints") } ?? []
      return Set(names.filter { Int($0) != nil })
    }
    var seen = checkpoints()
    let wanted = seen.count + 3
    while seen.count < wanted {
      try #require(runner.isRunning, "the pipeline was done before it could be stopped")
      seen.formUnion(checkpoints())
      try await Task.sleep(for: .milliseconds(2))
    }
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...300)))
  }
}
