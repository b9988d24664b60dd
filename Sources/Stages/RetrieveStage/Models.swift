import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import Pairs
import RetrievalEvaluation
import StageDescriptions

/// The embeddings that are compared: of one table of pairs, each in a joint space.
struct Models {
  let artifacts: [Artifact]
  let table: PairTable
  let names: [RunName]
  let descriptions: [EmbeddingsDescription]

  /// - Throws: `.badData` for embeddings of spaces apart, of other pairs than the first ones, and for two of one loss,
  ///   setting and seed.
  init(_ request: StageRequest<Retrieve>) throws {
    artifacts = request.inputs.artifacts("embeddings")
    table = try PairTable(artifacts[0])
    for artifact in artifacts.dropFirst() { try Self.check(artifact, hasPairsOf: artifacts[0]) }
    descriptions = try artifacts.map(Self.description)
    names = RunName.all(
      try zip(artifacts, descriptions).map { artifact, description in
        guard let scale = description.space.scale else {
          throw Failure(
            .badData,
            "has pictures and captions in spaces apart, which cannot be compared; embed them through trained heads first",
            at: artifact.path)
        }
        return (description.model?.configuration, scale)
      })
    for index in names.indices {
      guard let other = names[..<index].firstIndex(of: names[index]) else { continue }
      throw Failure(
        .badData, "is of the same loss, setting and seed as \(artifacts[other].path): \(names[index])",
        at: artifacts[index].path)
    }
  }

  func embeddings(_ index: Int) throws -> EmbeddingsArtifact { try EmbeddingsArtifact(artifacts[index]) }

  /// Validation and every test that has pictures.
  func sets(_ configuration: RetrieveConfiguration) throws -> [RetrievalSet] {
    let splits = table.splits.filter { $0 != .train }
    guard splits.contains(where: \.isTest) else {
      throw Failure(.badData, "has no test pictures to search among", at: artifacts[0].path)
    }
    if !splits.contains(.validation) {
      Log.warning("there are no validation pairs, so no settings are chosen and compared")
    }
    return splits.map {
      RetrievalSet(table, split: $0, captions: configuration.captions, isMerged: configuration.isMerged)
    }
  }

  private static func check(_ artifact: Artifact, hasPairsOf first: Artifact) throws {
    for file in [PairTable.picturesFile, PairTable.captionsFile, PairTable.classesFile]
    where artifact.digest(of: file) != first.digest(of: file) {
      throw Failure(.badData, "is of other pairs than \(first.path): \(file) differs", at: artifact.path)
    }
  }

  private static func description(_ artifact: Artifact) throws -> EmbeddingsDescription {
    let path = try artifact.file(EmbeddingsArtifact.descriptionFile)
    return try EmbeddingsDescription(JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
  }
}

extension EmbeddingsArtifact {
  /// Only embeddings of a joint space come so far.
  var logitScale: LogitScale { space.scale! }
}
