import Files
import Glibc
import TestSupport
import Testing

/// Processes that are killed repeatedly at random moments.
@Suite(.serialized, .enabled(if: slowTestsEnabled), UndisturbedPipeline(.small)) struct KillTests {
  /// TEMPNET_KILLS, or a number small enough for every change.
  private static let kills = inheritedEnvironment["TEMPNET_KILLS"].flatMap { Int($0) } ?? 20

  private let pipeline: TinyPipeline
  private let undisturbed: [String: ArtifactContent]

  init() throws {
    let made = try #require(UndisturbedPipeline.made)
    (pipeline, undisturbed) = (made.pipeline, made.results)
  }

  /// A command that makes results and can be killed before it ends.
  private struct Work {
    let name: String
    let start: () throws -> RunningProgram
    /// Whether the results are right; called after its end.
    let check: () throws -> Bool
    /// Its files; removed before it starts anew.
    let leaves: [String]
    /// Its duration without kills.
    var duration = Duration.seconds(2)
  }

  private func works() throws -> [Work] {
    let stages = try pipeline.stages.map { stage in
      let (command, output) = (try pipeline.command(stage.name), "random/\(stage.name)")
      return Work(
        name: stage.name,
        start: { try command.program.start(command.arguments + ["--output", output], in: command.folder) },
        check: { try ArtifactContent(pipeline.folder(output)).differences(from: undisturbed[stage.name]!) == [] },
        leaves: [pipeline.folder(output)])
    }
    let runner = Work(
      name: "runner", start: { try pipeline.start(store: "random-store") },
      check: { try pipeline.results(store: "random-store") == undisturbed },
      leaves: [pipeline.folder("random-store")])
    return stages + [runner, runner]
  }

  /// Completes the work, checks its results, and removes them.
  private func finish(_ work: Work) async throws -> Duration {
    let start = ContinuousClock.now
    let outcome = try await work.start().outcome()
    try #require(outcome.end == .exited(0), "\(work.name): \(outcome)")
    let duration = ContinuousClock.now - start
    #expect(try work.check(), "\(work.name)")
    for path in work.leaves { try Files.remove(path) }
    return duration
  }

  @Test func `commands killed at random moments come to the same bytes`() async throws {
    var works = try works()
    for index in works.indices { works[index].duration = try await finish(works[index]) }
    var killed = 0
    while killed < Self.kills {
      let work = works.randomElement()!
      // Two or three kills in a row, so that a process which continues killed work is killed as well.
      for _ in 0..<Int.random(in: 1...3) {
        let running = try work.start()
        let delay = work.duration * Double.random(in: 0...1)
        try await Task.sleep(for: delay)
        running.send(SIGKILL)
        let outcome = try await running.outcome()
        if outcome.end == .exited(0) { break }
        #expect(outcome.end == .killed(signal: SIGKILL), "\(work.name), after \(delay): \(outcome)")
        killed += 1
      }
      _ = try await finish(work)
    }
    #expect(try processes(in: pipeline.folder.path) == [])
  }
}
