import ArgumentParser
import Artifacts
import FitStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct FitProgram: StageProgram {
  typealias Description = Fit

  @OptionGroup var common: CommonOptions

  @Option(help: ArgumentHelp("The features to fit to.", valueName: "dir"))
  var features: String

  var inputs: [String: [String]] { ["features": [features]] }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Fit>) throws -> Artifact { try FitStage.run(request) }
}
