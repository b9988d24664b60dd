import Artifacts
import Diagnostics
import ModelFiles

/// A `tokens` artifact, opened for reading.
public struct TokensArtifact: Sendable {
  /// The vocabulary with its rules.
  public static let tokenizerFile = HuggingFaceFolder.tokenizerName

  public let artifact: Artifact
  /// One more than the largest id.
  public let vocabularySize: Int
  /// The id that closes every document.
  public let endOfText: Int32
  /// The texts that the tokens were made from.
  public let sources: [Corpus.Source]
  private let splits: [Split: TokenSplit]

  /// Opens the shards of all splits and checks that their parts fit together; ids are checked as they are read.
  ///
  /// - Throws: `Failure(.badData)` with the file and its fault.
  public init(_ artifact: Artifact) throws {
    self.artifact = artifact
    let summary = try TokensSummary(of: artifact)
    vocabularySize = summary.vocabulary
    endOfText = summary.endOfText
    sources = summary.sources
    splits = try Dictionary(
      uniqueKeysWithValues: Split.allCases.map {
        ($0, try TokenSplit($0, of: artifact, vocabulary: summary.vocabulary))
      })
  }

  public func split(_ split: Split) -> TokenSplit { splits[split]! }

  /// Reads the tokenizer. This takes time, so keep the result.
  public func loadTokenizer() throws -> Tokenizer {
    let path = try tokenizerPath
    let tokenizer = try Tokenizer(path: path, endOfText: endOfText)
    guard tokenizer.vocabularySize == vocabularySize else {
      throw Failure(.badData, "is not the tokenizer that the shards were made with", at: path)
    }
    return tokenizer
  }

  /// Checks that a model uses the same vocabulary.
  ///
  /// - Parameters:
  ///   - path: the model.
  ///   - digest: of the `tokenizer.json` that an artifact's model was trained with. Without one the model's own
  ///     vocabulary is read and compared, if it has any.
  ///   - logits: the number of the model's logits. It may exceed the number of ids, for padding.
  /// - Throws: `Failure(.badData)`.
  public func checkVocabulary(of path: String, ownTokenizer digest: String?, logits: Int) throws {
    try Tokenizer.checkLogits(logits, ofModel: path, ids: vocabularySize, of: artifact.path)
    let isSame: Bool
    if let digest {
      isSame = digest == artifact.digest(of: Self.tokenizerFile)
    } else if let own = try Tokenizer(ofModel: path) {
      isSame = own.givesSameIDs(as: try loadTokenizer())
    } else {
      isSame = true
    }
    guard isSame else {
      throw Failure(.badData, "has another tokenizer than that of \(artifact.path)", at: path)
    }
  }

  /// The path of the artifact's `tokenizer.json`.
  public var tokenizerPath: String {
    get throws { try artifact.file(Self.tokenizerFile) }
  }
}
