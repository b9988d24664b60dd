import ArgumentParser
import Artifacts
import ContrastStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct ContrastProgram: StageProgram {
  typealias Description = Contrast

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("Pictures and captions, to train encoders of both.", valueName: "dir"))
  var pairs: String?

  @Option(help: ArgumentHelp("Embeddings of frozen towers, to train heads on them.", valueName: "dir"))
  var embeddings: String?

  @Option(help: ArgumentHelp("A trained or converted model to train further.", valueName: "dir"))
  var model: String?

  var inputs: [String: [String]] {
    ["pairs": pairs, "embeddings": embeddings, "model": model].compactMapValues { $0.map { [$0] } }
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Contrast>) throws -> Artifact { try ContrastStage.run(request) }
}
