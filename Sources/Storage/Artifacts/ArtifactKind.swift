/// A kind of artifact with the version of its format that this release writes; FORMAT.md describes each byte by byte.
public struct ArtifactKind: Hashable, Sendable {
  public let name: String
  public let formatVersion: Int
  /// The oldest version that this release still reads.
  public let oldestReadable: Int

  public init(_ name: String, formatVersion: Int, oldestReadable: Int) {
    self.name = name
    self.formatVersion = formatVersion
    self.oldestReadable = oldestReadable
  }

  public static let tokens = ArtifactKind("tokens", formatVersion: 1, oldestReadable: 1)
  public static let model = ArtifactKind("model", formatVersion: 1, oldestReadable: 1)
  public static let features = ArtifactKind("features", formatVersion: 2, oldestReadable: 1)
  public static let tempnet = ArtifactKind("tempnet", formatVersion: 1, oldestReadable: 1)
  public static let records = ArtifactKind("records", formatVersion: 1, oldestReadable: 1)
  public static let evaluation = ArtifactKind("evaluation", formatVersion: 1, oldestReadable: 1)
  public static let export = ArtifactKind("export", formatVersion: 1, oldestReadable: 1)

  public static let pairs = ArtifactKind("pairs", formatVersion: 1, oldestReadable: 1)
  public static let embeddings = ArtifactKind("embeddings", formatVersion: 1, oldestReadable: 1)
  public static let dualEncoder = ArtifactKind("dual-encoder", formatVersion: 1, oldestReadable: 1)
  public static let retrieval = ArtifactKind("retrieval", formatVersion: 1, oldestReadable: 1)

  public static let all = [
    tokens, model, features, tempnet, records, evaluation, export, pairs, embeddings, dualEncoder, retrieval,
  ]

  public static func named(_ name: String) -> ArtifactKind? { all.first { $0.name == name } }
}
