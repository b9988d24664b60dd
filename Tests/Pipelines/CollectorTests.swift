import Artifacts
import Pipelines
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
    try collector.remove(garbage)
    #expect(try bench.decisions(set: ["a.rho=7"]).values.allSatisfy { $0 == .upToDate })
    #expect(try bench.decisions()["a"] != .upToDate)
  }

  @Test func `unfinished work is garbage unless it is going on`() throws {
    let bench = try Bench()
    let stage = try #require(try bench.plan()["text"])
    var builder: ArtifactBuilder? = try ArtifactBuilder(output: stage.output, identity: stage.identity)
    #expect(try Collector(bench.store).garbage().isEmpty)
    withExtendedLifetime(builder) {}
    builder = nil
    #expect(try Collector(bench.store).garbage().map(\.path) == ["\(stage.output).partial"])
  }

  @Test func `an empty store holds no garbage`() throws {
    #expect(try Collector(Store("/nonexistent")).garbage().isEmpty)
  }
}
