import Artifacts
import Configuration
import Diagnostics
import JSON

/// One run of a stage: its configuration, its opened and checked inputs, and the place of the result.
public struct StageRequest<Description: StageDescription>: Sendable {
  public let configuration: Description.Configuration
  public let inputs: StageInputs
  public let output: String
  private let canonical: JSON
  private let references: [InputReference]

  /// Opens the inputs, checks their digests, and computes the digests of raw files.
  ///
  /// - Parameter paths: paths of artifacts, by the name of the input.
  /// - Throws: `usage` for unknown or missing inputs, `badConfiguration` for settings that contradict the inputs or the
  ///   output, `missingInput`, `badData`.
  public init(
    _ configuration: ResolvedConfiguration<Description.Configuration>, inputs paths: [String: [String]],
    output: String, digests: FileDigests
  ) throws {
    if let problem = Description.problem(withInputs: paths.mapValues(\.count)) { throw Failure(.usage, problem) }
    let given = Set(paths.filter { !$0.value.isEmpty }.keys)
    if let problem = Description.problem(configuration.values, withInputs: given) {
      throw Failure(.badConfiguration, problem)
    }
    if let problem = try Description.problem(configuration.values, withOutput: output) {
      throw Failure(.badConfiguration, problem, at: output)
    }
    self.configuration = configuration.values
    self.output = output
    canonical = configuration.canonical
    inputs = try StageInputs(opening: paths, declared: Description.inputs, digests)
    references =
      try inputs.references(digests)
      + (try Description.rawInputs(configuration.values).map { try $0.reference(digests) })
    try digests.save()
  }

  /// The key that the result will have.
  public var key: String { identity([:]).key }

  /// The identity of the result, for the artifact's builder.
  ///
  /// - Parameter resolution: the values of the `auto` settings on this machine, such as device, arithmetic and threads.
  public func identity(_ resolution: JSON) -> StageIdentity {
    Description.identity(configuration: canonical, inputs: references, resolution: resolution)
  }

  /// Makes the stage's artifact. If an earlier run finished it, that artifact is returned, and nothing is computed.
  ///
  /// - Parameters:
  ///   - resolution: as in ``identity(_:)``; empty for a stage without `auto` settings.
  ///   - body: writes the artifact's files and returns the manifest's summary.
  /// - Throws: failures of `ArtifactBuilder` and `body`.
  public func make(_ resolution: JSON = [:], _ body: (ArtifactBuilder) throws -> JSON) throws -> Artifact {
    let builder = try ArtifactBuilder(output: output, identity: identity(resolution))
    if let artifact = builder.alreadyDone { return artifact }
    return try builder.publish(summary: body(builder))
  }
}

/// The opened inputs of a stage, by the names that its description declares.
public struct StageInputs: Sendable {
  private let opened: [(input: StageInput, found: [OpenedInput])]

  init(opening paths: [String: [String]], declared: [StageInput], _ digests: FileDigests) throws {
    opened = try declared.map { input in
      (input, try paths[input.name, default: []].map { try input.open($0, check: .digests, digests) })
    }
  }

  /// The artifact of a required input.
  public func artifact(_ name: String) -> Artifact { artifacts(name)[0] }

  public func optionalArtifact(_ name: String) -> Artifact? { artifacts(name).first }

  /// Traps for names that the description does not declare, and for models from elsewhere (see `model`).
  public func artifacts(_ name: String) -> [Artifact] {
    let artifacts = ownArtifacts(name)
    precondition(artifacts.count == found(name).count, "\(name) need not be an artifact")
    return artifacts
  }

  /// The artifacts of an input, without models from elsewhere.
  public func ownArtifacts(_ name: String) -> [Artifact] {
    found(name).compactMap { if case .artifact(let artifact) = $0 { artifact } else { nil } }
  }

  /// The model of a required input that takes published ones.
  public func model(_ name: String) -> ModelInput { optionalModel(name)! }

  public func optionalModel(_ name: String) -> ModelInput? { models(name).first }

  public func models(_ name: String) -> [ModelInput] {
    found(name).map { input in
      switch input {
      case .artifact(let artifact): ModelInput(path: artifact.path, artifact: artifact)
      case .published(let source): ModelInput(path: source.path, artifact: nil)
      }
    }
  }

  private func found(_ name: String) -> [OpenedInput] {
    guard let entry = opened.first(where: { $0.input.name == name }) else {
      preconditionFailure("the stage declares no input \(name)")
    }
    return entry.found
  }

  func references(_ digests: FileDigests) throws -> [InputReference] {
    try opened.flatMap { entry in try entry.found.flatMap { try entry.input.references(to: $0, digests) } }
  }
}

extension RawInput {
  /// The kind in the manifest of an input that is a plain file. Its key is the SHA-256 of its content.
  public static let kind = "file"

  public func reference(_ digests: FileDigests) throws -> InputReference {
    let digest = try files.map { try digests.sha256(of: $0, below: path) } ?? digests.sha256(of: path)
    return InputReference(name: name, kind: Self.kind, key: digest)
  }
}
