import ArgumentParser
import Artifacts
import Configuration
import ImportStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct ImportProgram: StageProgram {
  typealias Description = Import

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp("The published TempNet: a safetensors file, or a model's folder with one.", valueName: "path"))
  var weights: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Its lowest temperature.", valueName: "number"))
  var tauMin: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("Its highest temperature.", valueName: "number"))
  var tauMax: String?

  @Option(help: ArgumentHelp("What it reads: logits or centred.", valueName: "name"))
  var input: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The robustness it was trained with, in nats.", valueName: "number"))
  var rho: String?

  var inputs: [String: [String]] { [:] }

  var settings: [ConfigurationOverride?] {
    [
      .option("weights", weights, from: "--weights"), .number("tau_min", tauMin, from: "--tau-min"),
      .number("tau_max", tauMax, from: "--tau-max"), .option("input", input, from: "--input"),
      .number("rho", rho, from: "--rho"),
    ]
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Import>) throws -> Artifact { try ImportStage.run(request) }
}
