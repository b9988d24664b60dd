import Diagnostics
import JSON

/// `tokenizer.json`, the format of Hugging Face's `tokenizers`, for BPE: byte-level by the rules that
/// `SplittingPatterns` knows, and of SentencePiece's kind.
///
/// Any other setting of such a file would change ids if it were ignored, so it is refused by name.
enum TokenizerFile {
  /// Reads a file's text.
  ///
  /// - Throws: `Failure(.badData)` with the member that is damaged or not supported.
  static func vocabulary(_ bytes: some Collection<UInt8>, source: String) throws -> Vocabulary {
    try vocabulary(JSON(parsing: bytes, source: source), source: source)
  }

  static func vocabulary(_ file: JSON, source: String) throws -> Vocabulary {
    var warnings: [String] = []
    let (spelled, list) = try read(file, source: source, warnings: &warnings)
    return try spelled.vocabulary(with: list)
  }

  /// The vocabulary in the file's spelling, and its added tokens, to which other files may add.
  ///
  /// - Parameter warnings: receives a sentence for each setting that is skipped.
  static func read(
    _ file: JSON, source: String, warnings: inout [String]
  ) throws -> (SpelledVocabulary, AddedTokenList) {
    let rules = try TokenizerFileRules(file, source: source).read(warnings: &warnings)
    guard let model = file["model"]?.objectValue else { throw missing("model", "an object", source) }
    guard let vocab = model["vocab"]?.objectValue else { throw missing("model.vocab", "an object", source) }
    guard let merges = model["merges"]?.arrayValue else { throw missing("model.merges", "an array", source) }
    let tokens = try vocab.map { spelling, id in
      guard let id = id.intValue else { throw missing("the id of '\(spelling)'", "an integer", source) }
      return (spelling: spelling, id: id)
    }
    var list = AddedTokenList(model: tokens)
    try addTokens(of: file, to: &list, source)
    let spelled = SpelledVocabulary(
      tokens: tokens, merges: try merges.enumerated().map { try merge($1, rank: $0, source) },
      ranks: try ranks(model, merges: merges.count, source), rules: rules, source: source)
    return (spelled, list)
  }

  /// One merge, as `["a", "b"]` or in the older form `"a b"`.
  private static func merge(_ json: JSON, rank: Int, _ source: String) throws -> (left: String, right: String) {
    if let pair = json.arrayValue, pair.count == 2, let left = pair[0].stringValue, let right = pair[1].stringValue {
      return (left, right)
    }
    if let pair = json.stringValue.flatMap(MergeLine.parts) { return pair }
    throw missing("model.merges[\(rank)]", "a pair of tokens", source)
  }

  private static func addTokens(of file: JSON, to list: inout AddedTokenList, _ source: String) throws {
    var seen: Set<Int> = []
    var contents: Set<ExactString> = []
    for json in file["added_tokens"]?.arrayValue ?? [] {
      guard let id = json["id"]?.intValue, let token = StatedToken(json), seen.insert(id).inserted,
        contents.insert(ExactString(token.content)).inserted
      else { throw missing("each of added_tokens", "a token with a content and an id of its own", source) }
      try list.add(token, id: id, mayLeaveGap: true, source: source)
    }
  }

  private static func missing(_ what: String, _ expected: String, _ source: String) -> Failure {
    Failure(.badData, "\(what) should be \(expected)", at: source)
  }
}

/// A merge in files that write its two parts with a blank between. It is split by bytes, because Swift joins a blank
/// with a combining mark after it to one character.
enum MergeLine {
  /// The two parts; nil if the line does not have two.
  static func parts(_ line: String) -> (left: String, right: String)? {
    let parts = line.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
  }
}

extension TokenizerFile {
  /// The member of the model, unknown to other programs, that lists merges that share a rank: the place of the first
  /// and their number.
  static let sharedRanksName = "tempnet_shared_ranks"

  /// The rank of each merge; empty if no two share one.
  private static func ranks(_ model: JSONObject, merges: Int, _ source: String) throws -> [Int32] {
    guard let runs = model[sharedRanksName] else { return [] }
    var ranks: [Int32] = []
    ranks.reserveCapacity(merges)
    var next: Int32 = 0
    func appendOwn(upTo end: Int) {
      ranks += next..<next + Int32(end - ranks.count)
      next = (ranks.last ?? -1) + 1
    }
    for run in runs.arrayValue ?? [.null] {
      guard let pair = run.arrayValue, pair.count == 2, let start = pair[0].intValue, let count = pair[1].intValue,
        start >= ranks.count, count > 1, start <= merges, count <= merges - start
      else { throw missing("model.\(sharedRanksName)", "a list of places and counts of merges, in order", source) }
      appendOwn(upTo: start)
      ranks += Array(repeating: next, count: count)
      next += 1
    }
    appendOwn(upTo: merges)
    return ranks
  }

  /// The tokens that the file's post-processor adds to every text: the id of the first one before it, and the names of
  /// those after it.
  static func template(_ file: JSON) -> (begin: Int32?, after: [String]) {
    let processor = file["post_processor"] ?? .null
    let steps = processor["type"]?.stringValue == "Sequence" ? processor["processors"]?.arrayValue ?? [] : [processor]
    let template = steps.last { $0["type"]?.stringValue == "TemplateProcessing" }
    let pieces = template?["single"]?.arrayValue ?? []
    let names = pieces.map { $0["SpecialToken"]?["id"]?.stringValue }
    let text = pieces.firstIndex { $0["Sequence"] != nil } ?? pieces.endIndex
    let first = text > 0 ? names[0] : nil
    let id = first.flatMap { template?["special_tokens"]?[$0]?["ids"]?.arrayValue?.first?.intValue }
    return (id.flatMap { Int32(exactly: $0) }, names[min(text + 1, names.count)...].compactMap { $0 })
  }
}
