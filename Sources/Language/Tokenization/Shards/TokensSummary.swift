import Artifacts
import Diagnostics
import JSON

/// The figures of a `tokens` artifact that programs read. The summary of its manifest holds them.
struct TokensSummary {
  /// One more than the largest id.
  let vocabulary: Int
  /// The id that closes every document.
  let endOfText: Int32
  let sources: [Corpus.Source]

  private enum Member {
    static let vocabulary = "vocabulary"
    static let endOfText = "endOfText"
    static let splits = "splits"
    static let sources = "sources"
  }

  /// - Throws: `Failure(.badData)` for a size or an id that cannot be.
  init(of artifact: Artifact) throws {
    let summary = artifact.summary
    guard let vocabulary = summary[Member.vocabulary]?.intValue, vocabulary > 0, vocabulary <= Vocabulary.maximumSize,
      let endOfText = summary[Member.endOfText]?.intValue, (0..<vocabulary).contains(endOfText)
    else { throw Failure(.badData, "its summary has no sound vocabulary and endOfText", at: artifact.path) }
    self.vocabulary = vocabulary
    self.endOfText = Int32(endOfText)
    sources = (summary[Member.sources]?.arrayValue ?? []).map(Corpus.Source.init)
  }

  static func json(
    _ tokenizer: Tokenizer, _ totals: [(split: Split, totals: SplitTotals)], _ sources: [Corpus.Source]
  ) -> JSON {
    [
      Member.vocabulary: .integer(tokenizer.vocabularySize), Member.endOfText: .integer(Int(tokenizer.endOfText)),
      Member.splits: .object(JSONObject(totals.map { ($0.rawValue, $1.json) })),
      Member.sources: .array(sources.map(\.json)),
    ]
  }
}

extension TokensArtifact {
  /// The summary that a `tokens` artifact's manifest begins with.
  ///
  /// - Parameter totals: of each split.
  public static func summary(
    _ tokenizer: Tokenizer, totals: [(split: Split, totals: SplitTotals)], sources: [Corpus.Source]
  ) -> JSON {
    TokensSummary.json(tokenizer, totals, sources)
  }
}

extension Corpus.Source {
  fileprivate init(_ json: JSON) {
    self.init(
      name: json["name"]?.stringValue ?? "unnamed", licence: json["licence"]?.stringValue,
      origin: json["source"]?.stringValue)
  }

  fileprivate var json: JSON {
    [
      "name": .string(name), "licence": licence.map { .string($0) } ?? .null,
      "source": origin.map { .string($0) } ?? .null,
    ]
  }
}
