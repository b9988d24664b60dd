import ArgumentParser
import Artifacts
import Configuration
import PretrainStage
import Programs
import StageDescriptions
import Torch

@main struct PretrainProgram: StageProgram {
  typealias Description = Pretrain

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The tokens to train on.", valueName: "dir"))
  var tokens: String

  @Option(help: ArgumentHelp("Train this model further instead of a new one.", valueName: "dir"))
  var model: String?

  var inputs: [String: [String]] { ["tokens": [tokens], "model": model.map { [$0] } ?? []] }

  static var engine: String? { Torch.Machine.description }

  func perform(_ request: StageRequest<Pretrain>) throws -> Artifact { try PretrainStage.run(request) }
}
