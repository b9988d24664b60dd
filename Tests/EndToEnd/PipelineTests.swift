import TestSupport
import Testing

@Suite(.serialized) struct PipelineTests {
  private let pipeline: TinyPipeline

  init() throws { pipeline = try TinyPipeline() }

  private func run(_ arguments: [String] = []) async throws -> Outcome {
    let outcome = try await pipeline.run(arguments)
    try #require(outcome.end == .exited(0), "\(outcome)")
    return outcome
  }

  @Test func `the runner and the single programs come to the same bytes, and then nothing is left to do`()
    async throws
  {
    let first = try await run()
    #expect(first.lines.contains { $0.hasSuffix(".html") }, "\(first)")
    #expect(first.lines.contains { $0.hasSuffix(".tar.zst") }, "\(first)")
    let results = try pipeline.results()
    for (stage, content) in try await pipeline.runByHand().results {
      #expect(content.differences(from: try #require(results[stage])) == [], "\(stage)")
    }
    let second = try await run()
    #expect(second.errors.contains("nothing to do"), "\(second)")
    #expect(second.output == first.output)
    let page = try await Program.run(["report", "--store", "store"], in: pipeline.folder.path)
    #expect(page.end == .exited(0) && page.output == "store/index.html\n", "\(page)")
    let verified = try await Program.run(["verify", "tiny.yaml", "--store", "store"], in: pipeline.folder.path)
    #expect(verified.end == .exited(0), "\(verified)")
  }

  @Test func `a changed setting runs its stage and those after it, and is the reason given`() async throws {
    _ = try await run(["--stage", "tempnet"])
    let changed = ["--set", "tempnet.seed=7"]
    let plan = try await run(changed + ["--dry-run", "--stage", "tempnet"])
    #expect(plan.lines.contains { $0.hasPrefix("features") && $0.hasSuffix("up to date") }, "\(plan)")
    #expect(plan.lines.contains { $0.hasPrefix("tempnet") && $0.contains("seed was 1, is 7") }, "\(plan)")
    let why = try await Program.run(
      ["why", "tiny.yaml", "tempnet", "--store", "store"] + changed, in: pipeline.folder.path)
    #expect(why.output.contains("seed was 1, is 7"), "\(why)")
  }

  @Test func `a stage that fails gives the runner its code and its name`() async throws {
    let outcome = try await pipeline.run(["--set", "tokens.vocabulary=100000"])
    #expect(outcome.end == .exited(78), "\(outcome)")
    #expect(outcome.errors.contains("stage tokens"), "\(outcome)")
  }

  @Test func `a missing text ends with 66 before any stage runs`() async throws {
    let outcome = try await pipeline.run(["--set", "tokens.corpus=[absent.txt]"])
    #expect(outcome.end == .exited(66), "\(outcome)")
    #expect(outcome.errors.contains("absent.txt"), "\(outcome)")
  }

  @Test func `a misspelt key of a stage is refused with its line`() async throws {
    let outcome = try await pipeline.run(["--set", "tempnet.sede=7"])
    #expect(outcome.end == .exited(78), "\(outcome)")
    #expect(outcome.errors.contains("seed"), "\(outcome)")
  }

  /// An option that takes a value and is missing from the runner's list of these breaks this.
  @Test(arguments: [
    ["status", "--set", "tempnet.seed=7"], ["verify", "--store", "absent"], ["gc", "--store", "absent"],
    ["gc", "--delete", "--store", "absent"], ["report", "--store", "absent"], ["graph", "--format", "dot"],
    ["run", "--dry-run", "--stage", "tokens", "--from", "tokens", "--force", "tokens", "--jobs", "1"],
  ])
  func `options may precede the command`(arguments: [String]) async throws {
    let needsPipeline = !["gc", "report"].contains(arguments[0])
    let rest = needsPipeline ? ["tiny.yaml"] : []
    let usual = try await Program.run(arguments + rest, in: pipeline.folder.path)
    let other = try await Program.run(
      Array(arguments.dropFirst()) + [arguments[0]] + rest, in: pipeline.folder.path)
    #expect(other.description == usual.description)
  }

  @Test func `quiet means silent`() async throws {
    let outcome = try await run(["--quiet", "--stage", "tokens"])
    #expect(outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
  }
}
