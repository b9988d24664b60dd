import Configuration
import Files
import Pipelines
import StageDescriptions
import TestSupport
import Testing

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  @Test func `pipelines, with the configurations in them`() throws {
    let folder = checkout("pipelines")
    let own = try Files.list(folder).filter { $0.hasSuffix(".yaml") }.map { try Files.read("\(folder)/\($0)") }
    try fuzz(own, as: "pipeline.yaml") { path in
      for stage in try PipelineSpecification(file: path).stages { try resolve(stage.description, stage.configuration) }
    }
  }

  private func resolve<Description: StageDescription>(_: Description.Type, _ configuration: YAMLNode) throws {
    _ = try Description.Configuration.resolve(configuration)
  }

  @Test func `ledgers`() async throws {
    let bench = try Bench()
    try await bench.run(try bench.plan())
    try fuzz([try Files.read(bench.store.ledger(of: "sample"))], as: "ledger.json") { _ = try Ledger(reading: $0) }
  }
}
