import ArgumentParser
import Artifacts
import Configuration
import PairsStage
import ProgramSupport
import StageDescriptions
import Torch

@main struct PairsProgram: StageProgram {
  typealias Description = MakePairs

  @OptionGroup var common: CommonOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Archives, folders, tables, JSON or descriptors.", valueName: "path"))
  var source: [String] = []

  @Option(parsing: .unconditional, help: ArgumentHelp("The side of the pictures, in pixels.", valueName: "n"))
  var size: String?

  var inputs: [String: [String]] { [:] }

  var settings: [ConfigurationOverride?] {
    [.option("source", source, from: "--source"), .number("size", size, from: "--size")]
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<MakePairs>) throws -> Artifact { try PairsStage.run(request) }
}
