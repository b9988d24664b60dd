import Artifacts
import Configuration
import Diagnostics
import Files
import Pipelines
import StageDescriptions
import TestSupport

/// Stages of every shape that pipelines are made of: a source with a raw file, a middle, a side branch and a join.
enum Samples {
  static let all: [any StageDescription.Type] = [Read.self, Train.self, Describe.self, Join.self]

  enum Read: StageDescription {
    static let name = "read"
    static let summary = "Reads a text."
    static let version = 1
    static let output = ArtifactKind.tokens
    static let inputs: [StageInput] = []

    struct Configuration: StageConfiguration {
      var text: String

      init(reading reader: inout ConfigurationReader) throws {
        text = try reader.value("text", as: .path, default: nil, identity: false, help: "the text")
        _ = try reader.integer("vocabulary", default: 100, in: 1...1000, help: "entries")
      }
    }

    static func rawInputs(_ configuration: Configuration) throws -> [RawInput] {
      [RawInput("text", path: configuration.text)]
    }
  }

  enum Train: StageDescription {
    static let name = "train"
    static let summary = "Trains."
    static let version = 1
    static let output = ArtifactKind.model
    static let inputs = [StageInput("tokens", .tokens)]

    struct Configuration: StageConfiguration {
      init(reading reader: inout ConfigurationReader) throws {
        _ = try reader.number("rho", default: 6, in: 0...9, help: "radius")
        _ = try reader.string("name", default: "plain", help: "a name")
        _ = try reader.threads()
      }
    }
  }

  enum Describe: StageDescription {
    static let name = "describe"
    static let summary = "Describes."
    static let version = 1
    static let output = ArtifactKind.evaluation
    static let inputs = [StageInput("model", .model)]

    struct Configuration: StageConfiguration {
      init(reading reader: inout ConfigurationReader) throws {}
    }
  }

  enum Join: StageDescription {
    static let name = "join"
    static let summary = "Joins."
    static let version = 1
    static let output = ArtifactKind.export
    static let inputs = [
      StageInput("models", .model, isRepeated: true), StageInput("evaluation", .evaluation, isRequired: false),
    ]

    struct Configuration: StageConfiguration {
      init(reading reader: inout ConfigurationReader) throws {}
    }
  }
}

/// A pipeline of the sample stages in a folder of its own.
struct Bench {
  let folder: TemporaryFolder
  var store: Store { Store("\(folder.path)/store") }

  static let twoModels = """
    stages:
      bundle: {run: join, from: {models: [a, b], evaluation: words}}
      text: {run: read, with: {text: TEXT}}
      a: {run: train, from: {tokens: text}}
      b: {run: train, from: {tokens: text}, with: {name: other}}
      words: {run: describe, from: {model: a}}
    """

  init(text: String = "It is a truth") throws {
    folder = try TemporaryFolder()
    try write(text)
  }

  func write(_ text: String) throws { try AtomicFile.write(text, to: "\(folder.path)/text.txt") }

  func pipeline(_ yaml: String = twoModels, set: [String] = []) throws -> PipelineSpecification {
    var text = yaml
    if let range = text.firstRange(of: "TEXT") { text.replaceSubrange(range, with: "\(folder.path)/text.txt") }
    return try PipelineSpecification(
      try YAMLSource.parse(text, source: "sample.yaml"), overrides: set.map(ConfigurationOverride.init(parsing:)),
      known: Samples.all)
  }

  func plan(_ yaml: String = twoModels, set: [String] = [], select selection: Selection = Selection()) throws -> Plan {
    try Workspace(pipeline: try pipeline(yaml, set: set), store: store).plan(selection)
  }

  /// Runs a plan with stages that do nothing but leave their artifact.
  @discardableResult
  func run(_ plan: Plan, executor: RecordingExecutor? = nil) async throws -> String? {
    try await Runner(
      store: store, executor: executor ?? RecordingExecutor(plan), clock: RecordingClock(),
      isInterrupted: { false }
    ).run(plan)
  }

  /// Name and decision of each stage.
  func decisions(
    _ yaml: String = twoModels, set: [String] = [], select selection: Selection = Selection()
  ) throws -> [String: Decision] {
    Dictionary(uniqueKeysWithValues: try plan(yaml, set: set, select: selection).stages.map { ($0.name, $0.decision) })
  }
}

extension Resources {
  static let ample = Resources(cores: 64, memory: 1 << 40)
}

/// A stage that reads what it makes.
enum Pass: StageDescription {
  static let name = "pass"
  static let summary = "Passes."
  static let version = 1
  static let output = ArtifactKind.model
  static let inputs = [StageInput("model", .model)]
  typealias Configuration = Samples.Describe.Configuration
}
