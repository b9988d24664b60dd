import Files
import JSON

/// An input of a stage as the stage's key sees it.
public struct InputReference: Equatable, Sendable {
  /// The name under which the stage knows the input, such as `tokens`.
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

/// What a stage's result depends on, known before the stage runs.
public struct StageIdentity: Equatable, Sendable {
  /// The program that runs the stage, such as `tempnet-fit`.
  public var program: String
  /// The stage's name in pipelines, such as `fit`.
  public var stage: String
  /// Raised by hand whenever the stage's results change for the same configuration and inputs.
  public var stageVersion: Int
  public var kind: ArtifactKind
  /// All options with defaults filled in, without those that cannot change the result; `auto` stays `auto`.
  public var configuration: JSON
  public var inputs: [InputReference]
  /// What `auto` became on this machine. Not part of the key, but work is only resumed under an equal one.
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

  /// What the key is made of. Program names, paths and the resolution are not in it.
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
  /// What the artifact's key was made of, in the form that `StageIdentity.dependencies` has.
  public var dependencies: JSON {
    StageIdentity.dependencies(
      kind: kind, formatVersion: formatVersion, stage: producer.stage, stageVersion: producer.stageVersion,
      configuration: configuration, inputs: inputs)
  }
}
