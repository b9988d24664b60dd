import ArgumentParser
import Artifacts
import Configuration
import Diagnostics
import Files
import Pipelines
import ProgramSupport

/// `tempnet-run`: plans a pipeline, runs the stages that have to run, and states the reasons.
@main
struct RunnerProgram: AsyncProgram {
  static let configuration = CommandConfiguration(
    commandName: "tempnet-run", abstract: "Runs the stages of a pipeline whose results are not there yet.",
    discussion: """
      Paths, also those in a pipeline file, are relative to the current directory. Results are kept in the store; \
      a stage whose configuration and inputs have a result there does not run again.
      """,
    version: Release.version,
    subcommands: [
      RunCommand.self, StatusCommand.self, WhyCommand.self, GraphCommand.self, VerifyCommand.self, ReportCommand.self,
      CollectCommand.self, NeedsCommand.self,
    ], defaultSubcommand: RunCommand.self)

  private static let commandNames = configuration.subcommands.compactMap { $0.configuration.commandName }

  /// The options of all commands that may have their value in the next word.
  private static let optionsWithValue: Set = ["--store", "--set", "--stage", "--from", "--force", "--jobs", "--format"]

  /// Moves the command before options that precede it: `--store DIR status PIPELINE` is `status --store DIR PIPELINE`.
  /// ArgumentParser would take `status` for the pipeline of the default command, and `statsu` as well.
  static func ordered(_ arguments: [String]) throws -> [String] {
    var index = 0
    while index < arguments.count, arguments[index].hasPrefix("-"), arguments[index] != "--" {
      index += optionsWithValue.contains(arguments[index]) ? 2 : 1
    }
    guard index < arguments.count else { return arguments }
    let word = arguments[index]
    guard commandNames.contains(word) else {
      if let near = nearest(to: word, in: commandNames), !Files.exists(word) {
        throw Failure(.usage, "there is no such pipeline; did you mean the command '\(near)'?", at: word)
      }
      return arguments
    }
    return [word] + arguments[..<index] + arguments[(index + 1)...]
  }
}

struct StoreOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The folder that keeps artifacts, logs and records.", valueName: "dir"))
  var store = Store.defaultPath

  func validate() throws {
    if store.isEmpty { throw ValidationError("--store needs the path of a folder") }
  }
}

/// The options of every command that reads a pipeline.
struct PipelineOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The pipeline, a YAML file.", valueName: "pipeline"))
  var file: String

  @OptionGroup var storeOptions: StoreOptions

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Set a configuration key of a stage.", valueName: "stage.key=value"))
  var overrides: [String] = []

  func workspace() throws -> Workspace {
    let overrides = try overrides.map(ConfigurationOverride.init(parsing:))
    let workspace = try Workspace(
      pipeline: try PipelineSpecification(file: file, overrides: overrides), store: Store(storeOptions.store))
    let (name, label) = (workspace.pipeline.name, workspace.records.label)
    if label != name {
      Log.note(
        "in \(storeOptions.store) another file's pipeline is called '\(name)'; this one's records are '\(label)'")
    }
    return workspace
  }
}

struct SelectionOptions: ParsableArguments {
  @Option(
    name: .customLong("stage"), parsing: .singleValue,
    help: ArgumentHelp("Only this stage and what it needs; may be repeated.", valueName: "name"))
  var stages: [String] = []

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Only this stage and what depends on it; may be repeated.", valueName: "name"))
  var from: [String] = []

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Run this stage although its result exists; may be repeated.", valueName: "name"))
  var force: [String] = []

  var selection: Selection { Selection(stages: stages, from: from, forced: force) }
}
