import ArgumentParser
import Artifacts
import Configuration
import Diagnostics
import EvaluateStage
import Programs
import StageDescriptions
import Torch

@main struct EvaluateProgram: StageProgram {
  typealias Description = Evaluate

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp("The model: an artifact, a folder in Hugging Face's form or a GGUF file.", valueName: "path"))
  var model: String

  @Option(help: ArgumentHelp("The tokens whose test split is scored.", valueName: "dir"))
  var tokens: String

  @Option(parsing: .upToNextOption, help: ArgumentHelp("TempNets that were fitted to the model.", valueName: "dir"))
  var tempnet: [String] = []

  @Option(
    name: .customLong("policy"), parsing: .singleValue,
    help: ArgumentHelp(
      "Score another policy: a temperature, exact, model for the model's own TempNet, or an artifact with a TempNet.",
      valueName: "name=spec"))
  var policies: [PolicyArgument] = []

  var inputs: [String: [String]] { ["model": [model], "tokens": [tokens], "tempnet": tempnet] }

  var settings: [ConfigurationOverride?] { policies.map(\.setting) }

  static var engine: String? { Torch.Machine.description }

  func perform(_ request: StageRequest<Evaluate>) throws -> Artifact { try EvaluateStage.run(request) }
}

/// What follows `--policy`.
struct PolicyArgument: ExpressibleByArgument {
  let setting: ConfigurationOverride

  init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
    let name = String(argument[..<equals])
    let specification = String(argument[argument.index(after: equals)...])
    guard !specification.isEmpty else { return nil }
    let isWord = ["exact", "model"].contains(specification) || Double(specification) != nil
    setting = .entry(of: isWord ? "policies" : "tempnets", name, specification, from: "--policy \(argument)")
  }
}
