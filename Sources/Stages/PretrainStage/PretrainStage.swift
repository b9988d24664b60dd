import Artifacts
import Diagnostics
import Files
import JSON
import LanguageModels
import ModelFiles
import StageDescriptions
import TempNet
import TemperatureSettings
import TokenWindows
import Tokenization
import Torch
import Training
import TrainingOptions

/// Trains a language model on a `tokens` artifact into a `model` artifact.
public enum PretrainStage {
  public static func run(_ request: StageRequest<Pretrain>) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { try train(request, resolution, $0) }
  }

  /// - Returns: the summary.
  private static func train(
    _ request: StageRequest<Pretrain>, _ resolution: Resolution, _ builder: ArtifactBuilder
  ) throws -> JSON {
    resolution.apply()
    let configuration = request.configuration
    let tokens = try TokensArtifact(request.inputs.artifact("tokens"))
    let base = try request.inputs.optionalModel("model").map { try BaseModel($0, tokens) }
    let networks = try TrainedNetworks(configuration, vocabulary: tokens.vocabularySize, base: base, resolution)
    let task = try Failure.locating(tokens.artifact.path) { try Self.task(networks, tokens, configuration) }
    let count = task.groups.flatMap(\.parameters).reduce(0) { $0 + $1.tensor.count }
    Log.note("training \(abbreviated(Double(count))) parameters on \(tokens.split(.train).count) tokens")
    let loop = try TrainingLoop(
      task, settings: configuration.settings, files: TrainingFiles(builder),
      stop: .standard(timeLimit: configuration.run.timeLimit))
    let result = try loop.run()
    try save(networks, tokens, builder)
    // A model that knows how conversations are written down still does.
    if let template = try base?.pretrained.chatTemplateIfPresent() {
      try AtomicFile.write(template, to: builder.path(for: HuggingFaceFolder.chatTemplateName))
    }
    return summary(result, networks, task, configuration)
  }

  private static func task(
    _ networks: TrainedNetworks, _ tokens: TokensArtifact, _ configuration: PretrainConfiguration
  ) throws -> PretrainTask<TokenSplit> {
    let validation = tokens.split(.validation)
    return PretrainTask(
      model: networks.model, objective: networks.objective,
      training: try TrainingWindows(
        tokens.split(.train), context: configuration.context, windowsPerStep: configuration.batch,
        seed: configuration.seed),
      validation: try CoveringWindows(validation, context: configuration.context),
      validationBytes: validation.documents.reduce(0) { $0 + $1.bytes }, configuration: configuration)
  }

  private static func save(_ networks: TrainedNetworks, _ tokens: TokensArtifact, _ builder: ArtifactBuilder) throws {
    let configurationPath = try builder.path(for: LanguageModel.configurationName)
    _ = try builder.path(for: LanguageModel.weightsName)
    try networks.model.save(to: Files.folder(of: configurationPath))
    try withoutGradients { networks.tempnet?.published }?.save(builder.path(for: TempNetFile.name))
    try AtomicFile.write(Files.read(tokens.tokenizerPath), to: builder.path(for: HuggingFaceFolder.tokenizerName))
  }

  private static func summary(
    _ result: TrainingResult, _ networks: TrainedNetworks, _ task: PretrainTask<TokenSplit>,
    _ configuration: PretrainConfiguration
  ) -> JSON {
    var summary: JSONObject = [
      "objective": .string(configuration.objective.rawValue),
      "parameters": .integer(networks.model.parameterCount),
      "steps": .integer(result.steps),
      "training_tokens": .integer(result.steps * task.itemsPerStep),
      "selected_step": .integer(result.selected.step),
      "validation": result.selected.metrics.json,
    ]
    let trained = networks.model.parameters.filter(\.tensor.requiresGradient).reduce(0) { $0 + $1.tensor.count }
    if trained < networks.model.parameterCount { summary["trained_parameters"] = .integer(trained) }
    if let tempnet = networks.tempnet { summary["tempnet_parameters"] = .integer(tempnet.parameterCount) }
    if configuration.objective.isRobust {
      summary["rho"] = .number(networks.budget.rho)
      summary["entropy"] = .number(networks.objective.targetEntropy)
    }
    return .object(summary)
  }
}

extension PretrainConfiguration {
  fileprivate var settings: LoopSettings {
    LoopSettings(
      steps: steps, seed: seed, optimiser: optimiser, validationInterval: validationInterval.steps(of: steps),
      logInterval: logInterval,
      selection: selection, run: run, lanes: lanes)
  }
}
