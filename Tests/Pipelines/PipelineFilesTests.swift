import Artifacts
import Configuration
import Pipelines
import StageDescriptions
import Testing

/// The pipelines of this repository.
@Suite struct PipelineFilesTests {
  private static let folder = Files.folder(of: Files.folder(of: Files.folder(of: #filePath))) + "/pipelines"

  @Test(arguments: try Files.list(folder).filter { $0.hasSuffix(".yaml") })
  func `every pipeline file is well formed, configurations included`(file: String) throws {
    let pipeline = try PipelineSpecification(file: "\(Self.folder)/\(file)")
    for stage in pipeline.stages { try resolve(stage.description, stage.configuration) }
    #expect(pipeline.name == file.dropLast(".yaml".count))
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
