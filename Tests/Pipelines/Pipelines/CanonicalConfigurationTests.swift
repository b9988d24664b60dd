import Configuration
import Files
import JSON
import Pipelines
import StageDescriptions
import TestSupport
import Testing

/// The configurations that enter keys: a name or a default that changes makes every store compute anew.
@Suite struct CanonicalConfigurationTests {
  /// By stage, as `Fixtures/README.md` tells.
  private func expected(_ pipeline: String) throws -> JSON {
    let path = checkout("Tests/Pipelines/Pipelines/Fixtures/configurations.json")
    return try #require(try JSON(parsing: Files.read(path), source: path)[pipeline])
  }

  private func canonical<Description: StageDescription>(_: Description.Type, _ configuration: YAMLNode) throws -> JSON {
    try Description.Configuration.resolve(configuration).canonical
  }

  private func check(_ stages: [StageSpecification], _ pipeline: String) throws {
    let expected = try expected(pipeline)
    for (name, configuration) in try #require(expected.objectValue) {
      let stage = try #require(stages.first { $0.name == name }, "\(name)")
      #expect(try canonical(stage.description, stage.configuration) == configuration, "\(name)")
    }
    if pipeline != "old-spellings" { #expect(expected.objectValue?.count == stages.count) }
  }

  @Test(arguments: ["austen", "smollm2", "finetune"])
  func `a pipeline's configurations enter keys as they always have`(pipeline: String) throws {
    try check(PipelineSpecification(file: checkout("pipelines/\(pipeline).yaml")).stages, pipeline)
  }

  @Test func `lanes enter keys where there are several`() throws {
    for count in 1...2 {
      let settings = try YAMLSource.parse("lanes: \(count)", source: "settings")
      let stated: JSON? = count == 1 ? nil : .integer(count)
      #expect(try canonical(Pretrain.self, settings)["lanes"] == stated)
      #expect(try canonical(Fit.self, settings)["lanes"] == stated)
    }
  }

  @Test func `every old spelling of a training setting enters keys as it always has`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      """
      pipeline: old
      stages:
        fit-defaults: {run: fit, from: {features: f/}}
        fit:
          run: fit
          from: {features: f/}
          with:
            {learning_rate: 0.02, learning_rate_floor: 0.001, warmup: 0.1, weight_decay: 0.01, gradient_clip: 0.5,
             validations: 7, keep_best: false, checkpoint_interval: 50, time_limit: 60}
        fit-none: {run: fit, from: {features: f/}, with: {gradient_clip: null, keep_best: true, validations: 1}}
        pretrain:
          run: pretrain
          from: {tokens: t/}
          with:
            {optimiser: {learning_rate: 0.02, learning_rate_floor: 0.001, warmup: 0.1, weight_decay: 0.01, beta1: 0.8,
             beta2: 0.99, epsilon: 1.0e-7, gradient_clip: 0}, validation_interval: 7, log_interval: 3, select: last,
             tempnet: {schedule: constant}, checkpoint_interval: 50, checkpoints: 3, time_limit: 60, device: cpu}
      """, to: "old.yaml")
    try check(PipelineSpecification(file: path).stages, "old-spellings")
  }
}
