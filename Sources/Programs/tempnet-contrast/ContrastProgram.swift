import ArgumentParser
import Artifacts
import ContrastStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct ContrastProgram: StageProgram {
  typealias Description = Contrast

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The embeddings of both towers, to train heads on.", valueName: "dir"))
  var embeddings: String

  var inputs: [String: [String]] { ["embeddings": [embeddings]] }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Contrast>) throws -> Artifact { try ContrastStage.run(request) }
}
