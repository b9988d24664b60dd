import ArgumentParser
import Artifacts
import Configuration
import ProgramSupport
import ScoreStage
import StageDescriptions
import Torch

@main struct ScoreProgram: StageProgram {
  typealias Description = Score

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "The frozen model: an artifact, a folder in Hugging Face's form or a GGUF file.", valueName: "path"))
  var model: String

  @Option(help: ArgumentHelp("The tokens whose validation and test splits are scored.", valueName: "dir"))
  var tokens: String

  @Option(
    name: .customLong("task"), parsing: .upToNextOption,
    help: ArgumentHelp("Score tasks too: task files (.yaml) or request files (requests.jsonl.gz).", valueName: "path"))
  var tasks: [String] = []

  @Option(parsing: .unconditional, help: ArgumentHelp("Score no more than N items of each task.", valueName: "n"))
  var taskLimit: String?

  @Flag(help: "Score every request of a task by itself, to the same bits whatever else is scored.")
  var reproducible = false

  var inputs: [String: [String]] { ["model": [model], "tokens": [tokens]] }

  var settings: [ConfigurationOverride?] {
    get throws {
      [
        .option("tasks", tasks, from: "--task"), .number("task_limit", taskLimit, from: "--task-limit"),
        .option("reproducible", reproducible ? true : nil, from: "--reproducible"),
      ]
    }
  }

  static var engine: String? { TorchRuntime.description }

  func perform(_ request: StageRequest<Score>) throws -> Artifact { try ScoreStage.run(request) }
}
