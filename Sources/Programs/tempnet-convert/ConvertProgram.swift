import ArgumentParser
import Artifacts
import Configuration
import ConvertStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct ConvertProgram: StageProgram {
  typealias Description = Convert

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The CLIP: a folder of open_clip or transformers, or a state dict.", valueName: "path"))
  var weights: String?

  @Option(help: ArgumentHelp("Of a state dict alone: gelu or quick_gelu.", valueName: "name"))
  var activation: String?

  @Option(help: ArgumentHelp("A vocabulary in place of the folder's.", valueName: "file"))
  var tokenizer: String?

  var inputs: [String: [String]] { [:] }

  var settings: [ConfigurationOverride?] {
    [
      .option("weights", weights, from: "--weights"), .option("activation", activation, from: "--activation"),
      .option("tokenizer", tokenizer, from: "--tokenizer"),
    ]
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Convert>) throws -> Artifact { try ConvertStage.run(request) }
}
