import Diagnostics
import JSON

/// A `tokenizer.json` with a model of the type WordPiece.
///
/// Any setting that would change ids if it were ignored is refused by name.
struct WordPieceFile {
  let normalizer: BertNormalizer
  let beginnings: [[UInt8]: Int32]
  let continuations: [[UInt8]: Int32]
  let vocabularySize: Int
  let unknown: Int32
  let before: [Int32]
  let after: [Int32]
  let longestWord: Int
  let limit: Int?

  static let largestVocabulary = 1 << 24

  init(_ file: JSON, source: String) throws {
    let model = file["model"] ?? .null
    try Self.require(model["type"], is: "WordPiece", "model.type", source)
    try Self.require(file["pre_tokenizer"]?["type"], is: "BertPreTokenizer", "pre_tokenizer.type", source)
    normalizer = try BertNormalizer(file["normalizer"] ?? .null, source: source)
    let prefix = Array((model["continuing_subword_prefix"]?.stringValue ?? "##").utf8)
    guard !prefix.isEmpty else { throw Self.failure("model.continuing_subword_prefix", "is empty", source) }
    longestWord = model["max_input_chars_per_word"]?.intValue ?? 100
    let ids = try Self.vocabulary(model, source)
    beginnings = ids
    continuations = Dictionary(
      uniqueKeysWithValues: ids.filter { $0.key.starts(with: prefix) }.map {
        (Array($0.key.dropFirst(prefix.count)), $0.value)
      })
    vocabularySize = ids.count
    unknown = try Self.id(of: model["unk_token"]?.stringValue ?? "[UNK]", ids, source)
    (before, after) = try Self.marks(file["post_processor"] ?? .null, ids, source)
    limit = file["truncation"]?["max_length"]?.intValue
    guard limit.map({ $0 >= before.count + after.count }) ?? true else {
      throw Self.failure("truncation.max_length", "leaves no room for a text", source)
    }
  }

  /// The ids by the UTF-8 of their entries: every id from 0 on, each once.
  private static func vocabulary(_ model: JSON, _ source: String) throws -> [[UInt8]: Int32] {
    guard let entries = model["vocab"]?.objectValue, !entries.isEmpty, entries.count <= largestVocabulary else {
      throw failure("model.vocab", "should be an object of tokens and their ids", source)
    }
    var ids: [[UInt8]: Int32] = Dictionary(minimumCapacity: entries.count)
    var isTaken = [Bool](repeating: false, count: entries.count)
    for (token, json) in entries {
      guard let id = json.intValue, isTaken.indices.contains(id), !isTaken[id] else {
        throw failure("the id of '\(token)'", "should be one of its own from 0 to \(entries.count - 1)", source)
      }
      isTaken[id] = true
      ids[Array(token.utf8)] = Int32(id)
    }
    return ids
  }

  /// The ids around every text: those of a template, or of BERT's own post-processor.
  private static func marks(
    _ processor: JSON, _ ids: [[UInt8]: Int32], _ source: String
  ) throws -> ([Int32], [Int32]) {
    switch processor["type"]?.stringValue {
    case "BertProcessing":
      func mark(_ name: String) throws -> Int32 {
        guard let token = processor[name]?.arrayValue?.first?.stringValue else {
          throw failure("post_processor.\(name)", "should be a token and its id", source)
        }
        return try id(of: token, ids, source)
      }
      return ([try mark("cls")], [try mark("sep")])
    case "TemplateProcessing":
      let pieces = processor["single"]?.arrayValue ?? []
      guard let text = pieces.firstIndex(where: { $0["Sequence"] != nil }) else {
        throw failure("post_processor.single", "has no place for the text", source)
      }
      func marks(_ part: ArraySlice<JSON>) throws -> [Int32] {
        try part.map { piece in
          guard let token = piece["SpecialToken"]?["id"]?.stringValue else {
            throw failure("post_processor.single", "should hold one text among special tokens", source)
          }
          return try id(of: token, ids, source)
        }
      }
      return (try marks(pieces[..<text]), try marks(pieces[(text + 1)...]))
    case nil: return ([], [])
    case let other?: throw failure("post_processor.type", "is \(other), which is not supported", source)
    }
  }

  private static func id(of token: String, _ ids: [[UInt8]: Int32], _ source: String) throws -> Int32 {
    guard let id = ids[Array(token.utf8)] else { throw failure("model.vocab", "has no token '\(token)'", source) }
    return id
  }

  private static func require(_ value: JSON?, is wanted: String, _ name: String, _ source: String) throws {
    guard value?.stringValue == wanted else {
      throw failure(name, "is \(value?.stringValue ?? "missing"), only \(wanted) is supported", source)
    }
  }

  fileprivate static func failure(_ name: String, _ message: String, _ source: String) -> Failure {
    Failure(.badData, "\(name) \(message)", at: source)
  }
}

extension BertNormalizer {
  fileprivate init(_ json: JSON, source: String) throws {
    guard json["type"]?.stringValue == "BertNormalizer" else {
      throw WordPieceFile.failure("normalizer.type", "should be BertNormalizer", source)
    }
    guard json["clean_text"]?.boolValue != false else {
      throw WordPieceFile.failure("normalizer.clean_text", "is false, which is not supported", source)
    }
    let lowersCase = json["lowercase"]?.boolValue ?? true
    self.init(
      separatesChinese: json["handle_chinese_chars"]?.boolValue ?? true,
      // Without a word of its own it goes with the case, as in BERT.
      stripsAccents: json["strip_accents"]?.boolValue ?? lowersCase, lowersCase: lowersCase)
  }
}
