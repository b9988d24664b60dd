import Artifacts
import Diagnostics
import TemperatureSettings
import Torch
import Weights

/// A `features` artifact: for each part a table with one row per token, image or text, and, of tokens, the frozen model's
/// unembedding.
///
/// `Artifacts/FORMAT.md` describes the files.
public struct FeaturesArtifact: Sendable {
  /// The splits that have a table.
  public enum Part: String, CaseIterable, Sendable {
    case train, validation

    public var file: String { "\(rawValue).safetensors" }
  }

  /// The file of the unembedding.
  public static let headFile = "head.safetensors"

  private let artifact: Artifact

  public var path: String { artifact.path }

  public init(_ artifact: Artifact) { self.artifact = artifact }

  /// The key of the embeddings that rows of images and texts were made of; nil for tokens.
  public var embeddingsKey: String? {
    artifact.manifest.inputs.first { $0.kind == ArtifactKind.embeddings.name }?.key
  }

  /// The kind of its rows.
  ///
  /// - Throws: `Failure(.badData)` where the file is not as it should be.
  public func description() throws -> FeaturesDescription {
    // Format version 1 knows tokens alone.
    guard artifact.manifest.formatVersion > 1 else { return .tokens }
    return try .read(artifact.file(FeaturesDescription.file))
  }

  /// Reads the unembedding.
  ///
  /// - Throws: `Failure(.badData)` where the file, a tensor, or its shape is not as it should be.
  public func head(on device: Device) throws -> Head { try Head(artifact.file(Self.headFile), device: device) }

  /// Reads a table.
  ///
  /// - Parameter width: of the networks' inputs; nil where any will do.
  /// - Throws: `Failure(.badData)` where the file, a tensor, or its shape is not as it should be.
  public func rows(of part: Part, width: Int?, on device: Device) throws -> FeatureRows {
    try FeatureRows(artifact.file(part.file), width: width, device: device)
  }
}

/// A frozen model's unembedding.
public struct Head {
  /// float32 [V, d]
  public let weight: Tensor
  /// float32 [V]
  public let bias: Tensor?
  /// The file and the tensor, for messages.
  public let place: String

  /// V
  public var vocabulary: Int { weight.size(0) }
  /// d
  public var width: Int { weight.size(1) }

  private static let weightName = "weight"
  private static let biasName = "bias"

  init(_ path: String, device: Device) throws {
    let file = try SafetensorsFile(path)
    let entry = try file.entry(Self.weightName)
    guard entry.shape.count == 2, entry.shape[0] > 1, entry.shape[1] > 0 else {
      throw Failure(.badData, "has shape \(entry.shape), expected [vocabulary, width]", at: entry.place)
    }
    weight = try Tensor(entry).to(device)
    bias =
      try file[Self.biasName] == nil
      ? nil : Tensor(file.entry(Self.biasName, shape: [entry.shape[0]])).to(device)
    place = entry.place
  }

  /// Writes an unembedding [V, d] and its bias [V].
  public static func write(weight: Tensor, bias: Tensor? = nil, to path: String) throws {
    try SafetensorsWriter.write(
      [(name: weightName, tensor: weight)] + (bias.map { [(name: biasName, tensor: $0)] } ?? []), to: path)
  }

  /// Logits [N, V] of hidden states [N, d].
  public func callAsFunction(_ hidden: Tensor) -> Tensor { hidden.linear(weight, bias: bias) }
}
