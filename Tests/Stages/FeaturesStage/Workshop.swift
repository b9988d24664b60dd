import Artifacts
import Configuration
import Files
import LanguageModels
import ModelDescriptions
import StageDescriptions
import TestSupport
import TokenizeStage
import Torch

@testable import FeaturesStage

/// A folder with tokens of several small documents and a model for them.
final class Workshop {
  private static let syllables = ["ba", "ler", "tin", "so", "mar", "que", "dif", "on", "ral", "eth", "ust"]
  private let folder: TemporaryFolder
  private(set) var tokens: Artifact!
  private(set) var model: Artifact!

  init() throws {
    folder = try TemporaryFolder()
    tokens = try makeTokens(vocabulary: 300, output: "tokens")
    model = try makeModel(output: "model")
  }

  func makeTokens(vocabulary: Int, output: String) throws -> Artifact {
    for number in 0..<30 {
      let words = (0..<40 + number).map { place in
        [place, place / 3 + number, place * 7 + number].map { Self.syllables[$0 % Self.syllables.count] }.joined()
      }
      try folder.write(words.joined(separator: " ") + ".\n", to: "texts/\(number).txt")
    }
    let configuration = try TokenizeConfiguration.resolve(
      file: nil,
      overrides: ["corpus=\(folder("texts"))", "vocabulary=\(vocabulary)", "validation=0.3"]
        .map(ConfigurationOverride.init(parsing:)))
    return try TokenizeStage.run(
      StageRequest(configuration, inputs: [:], output: folder(output), digests: FileDigests()))
  }

  /// A model with random weights wide enough to have opinions.
  func makeModel(output: String, changing change: (LanguageModel) -> Void = { _ in }) throws -> Artifact {
    let configuration = try ModelConfiguration(
      vocabulary: 300, context: 64, width: 16, layers: 2, heads: 2, norm: .rms, activation: .swiglu, biases: .none)
    let model = LanguageModel(configuration, seed: 4)
    for parameter in model.parameters { parameter.tensor.add(parameter.tensor.cloned(), scale: 9) }
    change(model)
    let identity = StageIdentity(
      program: "tempnet-pretrain", stage: "pretrain", stageVersion: 1, kind: .model,
      configuration: ["name": .string(output)], inputs: [])
    let builder = try ArtifactBuilder(output: folder(output), identity: identity)
    for name in ["config.json", "model.safetensors"] { _ = try builder.path(for: name) }
    try model.save(to: Files.folder(of: builder.path(for: "config.json")))
    try AtomicFile.write(Files.read(tokens.file("tokenizer.json")), to: builder.path(for: "tokenizer.json"))
    return try builder.publish(summary: [:])
  }

  /// The path of something in the folder.
  func callAsFunction(_ name: String) -> String { folder(name) }

  @discardableResult
  func run(
    _ settings: [String], model: Artifact? = nil, modelPath: String? = nil, tokens: Artifact? = nil,
    output: String = "features",
    isInterrupted: () throws -> Bool = { false }
  ) throws -> Artifact {
    let configuration = try FeaturesConfiguration.resolve(
      file: nil,
      overrides: (["compute=float32", "device=cpu", "threads=1"] + settings).map(ConfigurationOverride.init(parsing:)))
    let inputs = ["model": [modelPath ?? (model ?? self.model).path], "tokens": [(tokens ?? self.tokens).path]]
    return try FeaturesStage.run(
      StageRequest(configuration, inputs: inputs, output: folder(output), digests: FileDigests()),
      isInterrupted: isInterrupted)
  }
}
