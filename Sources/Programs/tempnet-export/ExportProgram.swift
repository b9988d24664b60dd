import ArgumentParser
import Artifacts
import Configuration
import ExportStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct ExportProgram: StageProgram {
  typealias Description = Export

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The TempNet to export: an artifact of kind tempnet, or a model with a TempNet of its own.", valueName: "dir"))
  var tempnet: String?

  @Option(
    help: ArgumentHelp(
      "Measurements of it, for the model card; of a dual encoder those of tempnet-retrieve.", valueName: "dir"))
  var evaluation: String?

  @Option(help: ArgumentHelp("The features it was fitted to, for an ONNX model of hidden states.", valueName: "dir"))
  var features: String?

  @Option(
    help: ArgumentHelp(
      "A language model or a dual encoder to export; or, beside a TempNet, the GGUF file to put it into.",
      valueName: "path"))
  var model: String?

  @Option(help: ArgumentHelp("The pairs that a dual encoder was trained on, for its card.", valueName: "dir"))
  var pairs: String?

  @Option(
    help: ArgumentHelp(
      "What to write: of a TempNet safetensors, bundle, onnx, npz or gguf, of a language model huggingface or gguf, of a "
        + "dual encoder safetensors, open_clip, huggingface, onnx or bundle.",
      valueName: "name"))
  var format: String?

  var inputs: [String: [String]] {
    [
      "tempnet": tempnet.map { [$0] } ?? [], "evaluation": evaluation.map { [$0] } ?? [],
      "features": features.map { [$0] } ?? [], "model": model.map { [$0] } ?? [],
      "pairs": pairs.map { [$0] } ?? [],
    ]
  }

  var settings: [ConfigurationOverride?] { [.option("format", format, from: "--format")] }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Export>) throws -> Artifact { try ExportStage.run(request) }
}
