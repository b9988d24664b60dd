import ArgumentParser
import Artifacts
import Configuration
import Diagnostics
import EvaluateStage
import ProgramSupport
import StageDescriptions
import TemperatureSettings
import Torch

@main struct EvaluateProgram: StageProgram {
  typealias Description = Evaluate

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp("The model: an artifact, a folder in Hugging Face's form or a GGUF file.", valueName: "path"))
  var model: String?

  @Option(help: ArgumentHelp("The tokens whose test split is scored.", valueName: "dir"))
  var tokens: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Records of tempnet-score in place of the model; those of further models are compared with the first.",
      valueName: "dir"))
  var records: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Models to compare with on the same tokens, at single temperatures.", valueName: "path"))
  var baseline: [String] = []

  @Option(parsing: .upToNextOption, help: ArgumentHelp("TempNets that were fitted to the model.", valueName: "dir"))
  var tempnet: [String] = []

  @Option(
    name: .customLong("policy"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Score another policy: one of those of the key policies, or the path of an artifact with a TempNet.",
      valueName: "name=spec"))
  var policies: [PolicyArgument] = []

  @Option(
    name: .customLong("task"), parsing: .upToNextOption,
    help: ArgumentHelp("Score tasks too: task files (.yaml) or request files (requests.jsonl.gz).", valueName: "path"))
  var tasks: [String] = []

  @Option(parsing: .unconditional, help: ArgumentHelp("Score no more than N items of each task.", valueName: "n"))
  var taskLimit: String?

  @Flag(help: "Score every request of a task by itself, to the same bits whatever else is scored.")
  var reproducible = false

  var inputs: [String: [String]] {
    [
      "model": model.map { [$0] } ?? [], "tokens": tokens.map { [$0] } ?? [], "tempnet": tempnet, "baseline": baseline,
      "records": records,
    ]
  }

  var settings: [ConfigurationOverride?] {
    get throws {
      let named = policies.map(\.setting)
      try ConfigurationOverride.checkNames(of: named)
      return named.map(Optional.some) + [
        .option("tasks", tasks, from: "--task"), .number("task_limit", taskLimit, from: "--task-limit"),
        .option("reproducible", reproducible ? true : nil, from: "--reproducible"),
      ]
    }
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Evaluate>) throws -> Artifact { try EvaluateStage.run(request) }
}

/// An argument of `--policy`.
struct PolicyArgument: ExpressibleByArgument {
  let setting: ConfigurationOverride

  init?(argument: String) {
    // By scalars: a path may begin with a combining mark, which Swift joins with the character before it.
    let scalars = argument.unicodeScalars
    guard let equals = scalars.firstIndex(of: "="), equals != scalars.startIndex else { return nil }
    let name = String(scalars[..<equals])
    let specification = String(scalars[scalars.index(after: equals)...])
    guard !specification.isEmpty else { return nil }
    let section = PolicySpecification.isWords(specification) ? "policies" : "tempnets"
    setting = .entry(of: section, name, specification, from: "--policy \(argument)")
  }
}
