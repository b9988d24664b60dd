import Artifacts
import Configuration
import EvaluateStage
import Files
import LanguageModels
import ModelDescriptions
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Tokenization
import TokenizeStage
import Torch

/// A few hundred tokens, an untrained model and TempNets for it, as artifacts in a folder of their own.
struct TinyWorld {
  let folder: TemporaryFolder
  let tokens: TokensArtifact
  let model: LanguageModel
  let own: TemperatureNetwork
  let fitted: TemperatureNetwork

  static let context = 16
  static let modelRho = 2.0
  static let fittedRho = 2.5

  init(
    attention: ModelConfiguration.Attention = .window, documents: Int = 3, hasOwnTempNet: Bool = true, seed: UInt64 = 3
  ) throws {
    folder = try TemporaryFolder()
    tokens = try Self.makeTokens(folder, documents: documents)
    let configuration = try ModelConfiguration(
      vocabulary: tokens.vocabularySize, context: Self.context, width: 16, layers: 2, heads: 2, attention: attention)
    model = LanguageModel(configuration, seed: seed)
    // An untrained model predicts all tokens alike; larger weights give temperatures something to do.
    for parameter in model.parameters where parameter.tensor.rank == 2 {
      parameter.tensor.add(parameter.tensor, scale: 9)
    }
    own = Self.network(tokens.vocabularySize, rho: Self.modelRho, seed: 5)
    fitted = Self.network(tokens.vocabularySize, rho: Self.fittedRho, seed: 6)
    try save(hasOwnTempNet: hasOwnTempNet)
  }

  var test: TokenSplit { tokens.split(.test) }

  func request(
    _ settings: [String] = [], tempnet: [String]? = nil, model: String? = nil, baseline: [String] = [],
    output: String = "out"
  ) throws -> StageRequest<Evaluate> {
    let common = ["threads=1", "bootstrap.resamples=200", "device=cpu", "compute=float32"]
    let overrides = try (common + settings).map(ConfigurationOverride.init(parsing:))
    return try StageRequest(
      try EvaluateConfiguration.resolve(file: nil, overrides: overrides),
      inputs: [
        "model": [model ?? folder("model")], "tokens": [folder("tokens")], "tempnet": tempnet ?? [folder("fitted")],
        "baseline": baseline,
      ], output: folder(output), digests: FileDigests())
  }

  func evaluate(_ settings: [String] = [], tempnet: [String]? = nil, output: String = "out") throws -> Artifact {
    try EvaluateStage.run(request(settings, tempnet: tempnet, output: output))
  }

  /// The model in the form in which others publish theirs.
  func published() throws -> String {
    try Files.makeFolder(folder("published"))
    try PublishedForm(model.configuration, at: "test").writeHuggingFace(
      model.parameters, to: folder("published"), endOfText: Int(tokens.endOfText))
    try AtomicFile.write(Files.read(tokens.tokenizerPath), to: folder("published/tokenizer.json"))
    return folder("published")
  }

  private static func makeTokens(_ folder: TemporaryFolder, documents: Int) throws -> TokensArtifact {
    for document in 0..<3 * documents {
      let text = (0..<40).map { "word\(($0 * 7 + document * 3) % 11) is \($0 % 5)" }.joined(separator: " ")
      try folder.write(text, to: "texts/\(document).txt")
    }
    let overrides = try [
      "corpus=\(folder("texts"))", "vocabulary=262", "validation=0.33", "test=0.33", "threads=1",
    ].map(ConfigurationOverride.init(parsing:))
    let request = try StageRequest<Tokenize>(
      try TokenizeConfiguration.resolve(file: nil, overrides: overrides), inputs: [:], output: folder("tokens"),
      digests: FileDigests())
    return try TokensArtifact(TokenizeStage.run(request))
  }

  private static func network(_ vocabulary: Int, rho: Double, seed: UInt64) -> TemperatureNetwork {
    TorchRuntime.seed(seed)
    let network = TemperatureNetwork(
      TempNetSettings(vocabulary: vocabulary, hidden: 8, tauMin: 0.5, tauMax: 3, rho: rho))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape)) }
    return network
  }

  private func save(hasOwnTempNet: Bool) throws {
    try publish("model", .model, stage: "pretrain") { builder in
      try model.save(to: Files.folder(of: builder.path(for: "config.json")))
      _ = try builder.path(for: "model.safetensors")
      if hasOwnTempNet { try own.save(builder.path(for: "tempnet.safetensors")) }
    }
    try publish("fitted", .tempnet, stage: "fit") { builder in
      try fitted.save(builder.path(for: "tempnet.safetensors"))
      try AtomicFile.write("{\"step\":1,\"training\":{\"loss\":2.5}}\n", to: builder.path(for: "metrics.jsonl"))
    }
  }

  private func publish(
    _ name: String, _ kind: ArtifactKind, stage: String, fill: (ArtifactBuilder) throws -> Void
  ) throws {
    let identity = StageIdentity(
      program: "tempnet-\(stage)", stage: stage, stageVersion: 1, kind: kind, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: folder(name), identity: identity)
    try fill(builder)
    _ = try builder.publish(summary: [:])
  }
}
