import Files
import JSON

/// An input of a stage as it enters the stage's key.
public struct InputReference: Equatable, Sendable {
  /// The stage's name for the input, such as `tokens`.
  public let name: String
  /// The kind of an artifact, or `file` for raw content.
  public let kind: String
  /// The artifact's key, or the SHA-256 of the raw content.
  public let key: String

  public init(name: String, kind: String, key: String) {
    self.name = name
    self.kind = kind
    self.key = key
  }

  var json: JSON { ["name": .string(name), "kind": .string(kind), "key": .string(key)] }
}

/// Everything that a stage's result depends on, known before the stage runs.
public struct StageIdentity: Equatable, Sendable {
  /// The program that runs the stage, such as `tempnet-fit`.
  public var program: String
  /// The stage's name in pipelines, such as `fit`.
  public var stage: String
  /// To be raised when the stage's results change for the same configuration and inputs.
  public var stageVersion: Int
  public var kind: ArtifactKind
  /// All options with defaults filled in, without those that cannot change the result; `auto` stays `auto`.
  public var configuration: JSON
  public var inputs: [InputReference]
  /// The values of `auto` on this machine. They do not enter the key, but work is resumed under equal values only.
  public var resolution: JSON

  public init(
    program: String, stage: String, stageVersion: Int, kind: ArtifactKind, configuration: JSON,
    inputs: [InputReference],
    resolution: JSON = [:]
  ) {
    self.program = program
    self.stage = stage
    self.stageVersion = stageVersion
    self.kind = kind
    self.configuration = configuration
    self.inputs = inputs
    self.resolution = resolution
  }

  /// SHA-256 of the canonical JSON of everything the result depends on.
  public var key: String { SHA256.hex(of: dependencies.canonical) }

  /// The members of the key. Names of programs, paths and the resolution are not among them.
  public var dependencies: JSON {
    StageIdentity.dependencies(
      kind: kind.name, formatVersion: kind.formatVersion, stage: stage, stageVersion: stageVersion,
      configuration: configuration, inputs: inputs)
  }

  fileprivate static func dependencies(
    kind: String, formatVersion: Int, stage: String, stageVersion: Int, configuration: JSON, inputs: [InputReference]
  ) -> JSON {
    [
      "kind": .string(kind), "formatVersion": .integer(formatVersion), "stage": .string(stage),
      "stageVersion": .integer(stageVersion), "configuration": configuration, "inputs": .array(inputs.map(\.json)),
    ]
  }
}

extension Manifest {
  /// The members of the artifact's key, in the form of `StageIdentity.dependencies`.
  public var dependencies: JSON {
    StageIdentity.dependencies(
      kind: kind, formatVersion: formatVersion, stage: producer.stage, stageVersion: producer.stageVersion,
      configuration: configuration, inputs: inputs)
  }
}
