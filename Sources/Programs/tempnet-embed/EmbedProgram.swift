import ArgumentParser
import Artifacts
import Configuration
import EmbedStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct EmbedProgram: StageProgram {
  typealias Description = Embed

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("Pictures and captions, for frozen towers or a model's own.", valueName: "dir"))
  var pairs: String?

  @Option(help: ArgumentHelp("Embeddings of frozen towers, for a model's heads.", valueName: "dir"))
  var embeddings: String?

  @Option(help: ArgumentHelp("The trained model that brings both sides into one space.", valueName: "dir"))
  var model: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Embeddings made elsewhere: .npy files of pictures, of captions, and of each caption's picture.",
      valueName: "file"))
  var fromNpy: [String] = []

  var inputs: [String: [String]] {
    ["pairs": pairs, "embeddings": embeddings, "model": model].compactMapValues { $0.map { [$0] } }
  }

  var settings: [ConfigurationOverride?] { [.option("npy", fromNpy, from: "--from-npy")] }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Embed>) throws -> Artifact { try EmbedStage.run(request) }
}
