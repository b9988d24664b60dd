import Artifacts
import Configuration
import Diagnostics

/// One run of a stage: its configuration, its inputs, opened and checked, and where the result goes.
public struct StageRequest<Description: StageDescription>: Sendable {
  public let configuration: Description.Configuration
  public let inputs: StageInputs
  public let output: String
  private let canonical: JSON
  private let references: [InputReference]

  /// Opens the inputs, compares them with their digests, and digests the raw files.
  ///
  /// - Parameter paths: of artifacts, by the name of the input.
  /// - Throws: `usage` for inputs that the stage does not take or lacks, `missingInput`, `badData`.
  public init(
    _ configuration: ResolvedConfiguration<Description.Configuration>, inputs paths: [String: [String]],
    output: String, digests: FileDigests
  ) throws {
    if let problem = Description.problem(withInputs: paths.mapValues(\.count)) { throw Failure(.usage, problem) }
    self.configuration = configuration.values
    self.output = output
    canonical = configuration.canonical
    inputs = try StageInputs(opening: paths, declared: Description.inputs, digests)
    references =
      inputs.references + (try Description.rawInputs(configuration.values).map { try $0.reference(digests) })
    try digests.save()
  }

  /// The key that the result will have.
  public var key: String { identity([:]).key }

  /// What identifies the result; the artifact's builder wants it.
  ///
  /// - Parameter resolution: what every `auto` became on this machine, such as device, arithmetic and threads.
  public func identity(_ resolution: JSON) -> StageIdentity {
    Description.identity(configuration: canonical, inputs: references, resolution: resolution)
  }
}

/// The artifacts that a stage was given, by the names that its description declares.
public struct StageInputs: Sendable {
  private let opened: [(input: StageInput, artifacts: [Artifact])]

  init(opening paths: [String: [String]], declared: [StageInput], _ digests: FileDigests) throws {
    opened = try declared.map { input in
      let artifacts = try paths[input.name, default: []].map {
        try Artifact.open($0, kind: input.kind, check: .digests, digests: digests)
      }
      return (input, artifacts)
    }
  }

  /// The artifact of a required input.
  public func artifact(_ name: String) -> Artifact { artifacts(name)[0] }

  public func optionalArtifact(_ name: String) -> Artifact? { artifacts(name).first }

  /// Traps for names that the description does not declare.
  public func artifacts(_ name: String) -> [Artifact] {
    guard let found = opened.first(where: { $0.input.name == name }) else {
      preconditionFailure("the stage declares no input \(name)")
    }
    return found.artifacts
  }

  var references: [InputReference] {
    opened.flatMap { entry in
      entry.artifacts.map { InputReference(name: entry.input.name, kind: entry.input.kind.name, key: $0.key) }
    }
  }
}

extension RawInput {
  /// What the manifest calls the kind of an input that is a plain file; its key is the SHA-256 of its content.
  public static let kind = "file"

  public func reference(_ digests: FileDigests) throws -> InputReference {
    InputReference(name: name, kind: Self.kind, key: try digests.sha256(of: path))
  }
}
