import ArgumentParser
import Artifacts
import Configuration
import FeaturesStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct FeaturesProgram: StageProgram {
  typealias Description = Features

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The frozen model: an artifact, a folder in Hugging Face's form or a GGUF file.", valueName: "path"))
  var model: String?

  @Option(help: ArgumentHelp("The tokens that it reads.", valueName: "dir"))
  var tokens: String?

  @Option(
    help: ArgumentHelp(
      "In place of both: the embeddings of pairs in one space; --set side=image or text says whose rows.",
      valueName: "dir"))
  var embeddings: String?

  var inputs: [String: [String]] {
    ["model": model, "tokens": tokens, "embeddings": embeddings].compactMapValues { $0.map { [$0] } }
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Features>) throws -> Artifact { try FeaturesStage.run(request) }
}
