import ArgumentParser
import Artifacts
import Configuration
import ExportStage
import Programs
import StageDescriptions

@main struct ExportProgram: StageProgram {
  typealias Description = Export

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The TempNet to export.", valueName: "dir"))
  var tempnet: String?

  @Option(help: ArgumentHelp("Measurements of it, for the model card.", valueName: "dir"))
  var evaluation: String?

  @Option(help: ArgumentHelp("The language model to export, in its place.", valueName: "dir"))
  var model: String?

  @Option(
    help: ArgumentHelp(
      "What to write: of a TempNet safetensors or bundle, of a model huggingface or gguf.", valueName: "name"))
  var format: String?

  var inputs: [String: [String]] {
    [
      "tempnet": tempnet.map { [$0] } ?? [], "evaluation": evaluation.map { [$0] } ?? [],
      "model": model.map { [$0] } ?? [],
    ]
  }

  var settings: [ConfigurationOverride?] { [.option("format", format, from: "--format")] }

  func perform(_ request: StageRequest<Export>) throws -> Artifact { try ExportStage.run(request) }
}
