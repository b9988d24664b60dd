import Configuration
import Files
import Pipelines
import StageDescriptions
import TestSupport
import Testing

/// The pipelines of this repository.
@Suite struct PipelineFilesTests {
  private static let folder = checkout("pipelines")

  @Test(arguments: try Files.list(folder).filter { $0.hasSuffix(".yaml") })
  func `every pipeline file is well formed, configurations included`(file: String) throws {
    let pipeline = try PipelineSpecification(file: "\(Self.folder)/\(file)")
    for stage in pipeline.stages { try resolve(stage.description, stage.configuration) }
    #expect(pipeline.name == file.dropLast(".yaml".count))
  }

  @Test func `another budget for SmolLM2's TempNet concerns its fit and what reads it, nothing else`() throws {
    func stages(_ overrides: [ConfigurationOverride] = []) throws -> [StageSpecification] {
      try PipelineSpecification(file: "\(Self.folder)/smollm2.yaml", overrides: overrides).stages
    }
    let before = try stages()
    var changed: Set<String> = []
    for stage in try stages([ConfigurationOverride(parsing: "tempnet.rho=8")]) {
      try resolve(stage.description, stage.configuration)
      let old = try #require(before.first { $0.name == stage.name })
      if old.configuration.json != stage.configuration.json || !stage.dependencies.isDisjoint(with: changed) {
        changed.insert(stage.name)
      }
    }
    #expect(changed == ["tempnet", "evaluation", "evaluation-elsewhere", "bundle", "model-file"])
  }

  @Test func `the published model of 125M parameters is one configuration file`() throws {
    let configuration = try PretrainConfiguration.resolve(
      file: "\(Self.folder)/configurations/gpt2-125m.yaml", overrides: [])
    let model = configuration.values.model
    #expect(model.layers == 12 && model.width == 768 && model.heads == 12 && !model.tiedHead)
    #expect(configuration.values.tempnet.coordinates == .published)
  }

  private func resolve<Description: StageDescription>(_: Description.Type, _ configuration: YAMLNode) throws {
    _ = try Description.Configuration.resolve(configuration)
  }
}
