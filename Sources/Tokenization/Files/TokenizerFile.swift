import Artifacts
import Diagnostics

/// `tokenizer.json`, the format of Hugging Face's `tokenizers`, for BPE: byte-level by the rules that `SplittingPatterns`
/// knows, and of SentencePiece's kind.
///
/// What such a file may ask for beyond that would change ids if it were passed over, so it is refused by name.
enum TokenizerFile {
  /// Reads a file's text.
  ///
  /// - Throws: `Failure(.badData)` naming what is damaged or not supported.
  static func vocabulary(_ bytes: some Collection<UInt8>, source: String) throws -> Vocabulary {
    try vocabulary(JSON(parsing: bytes, source: source), source: source)
  }

  static func vocabulary(_ file: JSON, source: String) throws -> Vocabulary {
    let rules = try TokenizerFileRules(file, source: source).read()
    guard let model = file["model"]?.objectValue else { throw missing("model", "an object", source) }
    guard let vocab = model["vocab"]?.objectValue else { throw missing("model.vocab", "an object", source) }
    guard let merges = model["merges"]?.arrayValue else { throw missing("model.merges", "an array", source) }
    let tokens = try vocab.map { spelling, id in
      guard let id = id.intValue else { throw missing("the id of '\(spelling)'", "an integer", source) }
      return (spelling: spelling, id: id)
    }
    let (specials, added) = try addedTokens(file, source)
    return try SpelledVocabulary(
      tokens: tokens, merges: merges.enumerated().map { try merge($1, rank: $0, source) }, specials: specials,
      added: added, rules: rules, source: source
    ).vocabulary()
  }

  /// One merge, as `["a", "b"]` or in the older form `"a b"`.
  private static func merge(_ json: JSON, rank: Int, _ source: String) throws -> (left: String, right: String) {
    if let pair = json.arrayValue, pair.count == 2, let left = pair[0].stringValue, let right = pair[1].stringValue {
      return (left, right)
    }
    if let parts = json.stringValue?.split(separator: " ", omittingEmptySubsequences: false), parts.count == 2 {
      return (String(parts[0]), String(parts[1]))
    }
    throw missing("model.merges[\(rank)]", "a pair of tokens", source)
  }

  private static func addedTokens(
    _ file: JSON, _ source: String
  ) throws -> (specials: [Vocabulary.Special], added: [Vocabulary.Added]) {
    var (specials, added): ([Vocabulary.Special], [Vocabulary.Added]) = ([], [])
    var seen: Set<Int> = []
    for token in file["added_tokens"]?.arrayValue ?? [] {
      guard let id = token["id"]?.intValue, id >= 0, id < Vocabulary.maximumSize,
        let content = token["content"]?.stringValue, !content.isEmpty, seen.insert(id).inserted
      else { throw missing("each of added_tokens", "a token with a content and an id of its own", source) }
      if token["special"]?.boolValue == true {
        specials.append(Vocabulary.Special(id: Int32(id), content: content))
        continue
      }
      for option in ["single_word", "lstrip", "rstrip"] where token[option]?.boolValue == true {
        throw Failure(.badData, "\(option) of the added token '\(content)' is not supported", at: source)
      }
      added.append(
        Vocabulary.Added(
          id: Int32(id), content: content, isNormalized: token["normalized"]?.boolValue ?? true))
    }
    return (specials, added)
  }

  private static func missing(_ what: String, _ expected: String, _ source: String) -> Failure {
    Failure(.badData, "\(what) should be \(expected)", at: source)
  }
}

extension TokenizerFile {
  /// The id that the file's post-processor puts before every text; nil where there is none.
  static func beginOfText(_ file: JSON) -> Int32? {
    let processor = file["post_processor"] ?? .null
    let steps = processor["type"]?.stringValue == "Sequence" ? processor["processors"]?.arrayValue ?? [] : [processor]
    for step in steps where step["type"]?.stringValue == "TemplateProcessing" {
      guard let name = step["single"]?.arrayValue?.first?["SpecialToken"]?["id"]?.stringValue,
        let id = step["special_tokens"]?[name]?["ids"]?.arrayValue?.first?.intValue
      else { continue }
      return Int32(exactly: id)
    }
    return nil
  }
}
