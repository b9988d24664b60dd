import ArgumentParser
import Artifacts
import ProgramSupport
import RetrieveStage
import StageDescriptions
import Torch

@main struct RetrieveProgram: StageProgram {
  typealias Description = Retrieve

  @OptionGroup var common: CommonOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Embeddings in a joint space, one artifact for each loss and seed.", valueName: "dir"))
  var embeddings: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "TempNets that were fitted to some of the embeddings, or dual encoders with TempNets.", valueName: "dir"))
  var tempnet: [String] = []

  @Option(help: ArgumentHelp("The pairs, whose pictures the report shows.", valueName: "dir"))
  var pairs: String?

  var inputs: [String: [String]] {
    ["embeddings": embeddings, "tempnet": tempnet, "pairs": pairs.map { [$0] } ?? []]
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Retrieve>) throws -> Artifact { try RetrieveStage.run(request) }
}
