import Testing

/// Runs a pipeline once without the runner, for a suite that compares with its results.
struct UndisturbedPipeline: SuiteTrait, TestScoping {
  struct Made: Sendable {
    let pipeline: TinyPipeline
    let results: [String: ArtifactContent]
    let durations: [String: Duration]
  }
  @TaskLocal static var made: Made?

  private let size: TinyPipeline.Size

  init(_ size: TinyPipeline.Size) { self.size = size }

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let pipeline = try TinyPipeline(size)
    let (results, durations) = try await pipeline.runByHand()
    let made = Made(pipeline: pipeline, results: results, durations: durations)
    try await Self.$made.withValue(made) { try await function() }
  }
}
