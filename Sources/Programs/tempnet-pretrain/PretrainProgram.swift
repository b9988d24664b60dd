import ArgumentParser
import Artifacts
import Configuration
import PretrainStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct PretrainProgram: StageProgram {
  typealias Description = Pretrain

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The tokens to train on.", valueName: "dir"))
  var tokens: String

  @Option(help: ArgumentHelp("Train this model further instead of a new one.", valueName: "path"))
  var model: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Train only this number of last blocks of that model, and the norm after them.", valueName: "n"))
  var trainLastBlocks: String?

  var settings: [ConfigurationOverride?] {
    [.number("train_last_blocks", trainLastBlocks, from: "--train-last-blocks")]
  }

  var inputs: [String: [String]] { ["tokens": [tokens], "model": model.map { [$0] } ?? []] }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Pretrain>) throws -> Artifact { try PretrainStage.run(request) }
}
