import Diagnostics
import Files
import JSON
import ModelFiles

extension ClipTokenizer {
  /// Whether the file is CLIP's kind of vocabulary: a `tokenizer.json` whose BPE marks the ends of words, a `vocab.json`
  /// with such tokens, or OpenAI's list of merges.
  static func isClip(_ json: JSON) -> Bool {
    json["model"]?["end_of_word_suffix"]?.stringValue == ClipVocabulary.endOfWord
      || json.objectValue?[ClipVocabulary.beginName] != nil
  }

  /// Reads a `tokenizer.json`, or a `vocab.json` with `merges.txt` beside it.
  ///
  /// - Throws: `Failure(.badData)` naming the member that is damaged, or a setting that would give other ids.
  init(_ json: JSON, path: String) throws {
    guard json["model"] == nil else {
      self.init(try Self.vocabulary(json, source: path))
      return
    }
    let merges = "\(Files.folder(of: path))/\(HuggingFaceFolder.transformersNames[1])"
    guard Files.exists(merges) else { throw Failure.missing("file of merges", at: merges) }
    self.init(
      try ClipVocabulary(
        tokens: Self.tokens(json.objectValue ?? [:], path), merges: Self.lines(Files.read(merges), merges), source: path
      ))
  }

  /// The ids in order: every one from 0 on, each once.
  private static func tokens(_ ids: JSONObject, _ source: String) throws -> [String] {
    guard !ids.isEmpty, ids.count <= ClipVocabulary.largest else {
      throw Failure(.badData, "should be an object of tokens and their ids", at: source)
    }
    var tokens = [String?](repeating: nil, count: ids.count)
    for (token, json) in ids {
      guard let id = json.intValue, tokens.indices.contains(id), tokens[id] == nil else {
        throw Failure(
          .badData, "the id of '\(token)' should be one of its own from 0 to \(ids.count - 1)", at: source)
      }
      tokens[id] = token
    }
    return tokens.map { $0! }
  }

  private static func lines(_ bytes: [UInt8], _ path: String) throws -> [(left: String, right: String)] {
    try bytes.split(separator: UInt8(ascii: "\n")).enumerated().compactMap { index, line in
      let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
      if text.isEmpty || index == 0 && text.utf8.starts(with: "#version".utf8) { return nil }
      guard let parts = MergeLine.parts(text) else {
        throw Failure(.badData, "line \(index + 1): expected two tokens, found '\(text)'", at: path)
      }
      return parts
    }
  }

  // MARK: tokenizer.json

  private static func vocabulary(_ file: JSON, source: String) throws -> ClipVocabulary {
    try ClipRules(file, source).check()
    guard let vocab = file["model"]?["vocab"]?.objectValue, let merges = file["model"]?["merges"]?.arrayValue else {
      throw Failure(.badData, "model.vocab should be an object and model.merges an array", at: source)
    }
    let pairs = try merges.enumerated().map { rank, json in
      let pair = json.arrayValue.map { $0.compactMap(\.stringValue) }
      if let pair, pair.count == 2 { return (left: pair[0], right: pair[1]) }
      guard let parts = json.stringValue.flatMap(MergeLine.parts) else {
        throw Failure(.badData, "model.merges[\(rank)] should be a pair of tokens", at: source)
      }
      return parts
    }
    var ids = vocab
    for token in file["added_tokens"]?.arrayValue ?? [] {
      guard let content = token["content"]?.stringValue, let id = token["id"]?.intValue else {
        throw Failure(.badData, "each of added_tokens should have a content and an id", at: source)
      }
      if let known = ids[content], known.intValue != id {
        throw Failure(.badData, "gives '\(content)' the ids \(known.compact) and \(id)", at: source)
      }
      ids[content] = .integer(id)
    }
    let (begin, end) = try ClipRules(file, source).marks()
    return try ClipVocabulary(tokens: tokens(ids, source), merges: pairs, begin: begin, end: end, source: source)
  }

  /// The text of a `tokenizer.json` from which Python's `tokenizers` makes a tokenizer with equal ids.
  public var fileText: String { ClipRules.text(vocabulary) }
}

/// The rules of CLIP's `tokenizer.json`. Each is as CLIP has it, or is refused by name.
private struct ClipRules {
  let file: JSON
  let source: String

  init(_ file: JSON, _ source: String) { (self.file, self.source) = (file, source) }

  static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#

  func check() throws {
    let steps = steps(file["normalizer"], "normalizers")
    // White space of any kind separates words, so that replacing it by one blank changes nothing.
    guard
      steps.filter({ $0["type"]?.stringValue != "Replace" }).map({ $0["type"]?.stringValue }) == ["NFC", "Lowercase"],
      steps.allSatisfy({ $0["type"]?.stringValue != "Replace" || isBlanks($0) })
    else { throw unsupported("normalizer \((file["normalizer"] ?? .null).compact)") }
    let splitting = self.steps(file["pre_tokenizer"], "pretokenizers")
    guard splitting.count == 2, splitting[0]["type"]?.stringValue == "Split",
      splitting[0]["pattern"]?["Regex"]?.stringValue == Self.pattern,
      splitting[0]["behavior"]?.stringValue == "Removed", splitting[0]["invert"]?.boolValue == true,
      splitting[1]["type"]?.stringValue == "ByteLevel", splitting[1]["add_prefix_space"]?.boolValue == false
    else { throw unsupported("pre_tokenizer \((file["pre_tokenizer"] ?? .null).compact)") }
    let neutral: [String: [JSON]] = [
      "type": ["BPE"], "dropout": [.null], "continuing_subword_prefix": [.null, ""],
      "end_of_word_suffix": [.string(ClipVocabulary.endOfWord)], "fuse_unk": [false], "byte_fallback": [false],
      "ignore_merges": [false],
    ]
    for (key, value) in file["model"]?.objectValue ?? [:] where !["vocab", "merges", "unk_token"].contains(key) {
      if neutral[key]?.contains(value) != true { throw unsupported("model.\(key): \(value.compact)") }
    }
  }

  private func isBlanks(_ step: JSON) -> Bool {
    step["pattern"]?["Regex"]?.stringValue == #"\s+"# && step["content"]?.stringValue == " "
  }

  /// The names of the marks around captions.
  func marks() throws -> (begin: String, end: String) {
    let processor = file["post_processor"] ?? .null
    switch processor["type"]?.stringValue {
    case "RobertaProcessing":
      if let begin = processor["cls"]?.arrayValue?.first?.stringValue,
        let end = processor["sep"]?.arrayValue?.first?.stringValue
      {
        return (begin, end)
      }
    case "TemplateProcessing":
      let pieces = processor["single"]?.arrayValue ?? []
      let names = pieces.map { $0["SpecialToken"]?["id"]?.stringValue }
      if pieces.count == 3, let begin = names[0], pieces[1]["Sequence"] != nil, let end = names[2] {
        return (begin, end)
      }
    // A file without one still belongs to CLIP, whose marks have these names.
    case nil: return (ClipVocabulary.beginName, ClipVocabulary.endName)
    default: break
    }
    throw unsupported("post_processor \(processor.compact)")
  }

  private func steps(_ value: JSON?, _ members: String) -> [JSON] {
    guard let value, !value.isNull else { return [] }
    return value["type"]?.stringValue == "Sequence" ? value[members]?.arrayValue ?? [] : [value]
  }

  private func unsupported(_ what: String) -> Failure {
    Failure(.badData, "\(what) is not supported: it is not CLIP's", at: source)
  }

  static func text(_ vocabulary: ClipVocabulary) -> String {
    func mark(_ id: Int32) -> JSON { [.string(vocabulary.tokens[Int(id)]), .integer(Int(id))] }
    let marks: [JSON] = [vocabulary.begin, vocabulary.end].sorted().map { id in
      [
        "id": .integer(Int(id)), "content": .string(vocabulary.tokens[Int(id)]), "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": true, "special": true,
      ]
    }
    let file: JSON = [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(marks),
      "normalizer": [
        "type": "Sequence",
        "normalizers": [
          ["type": "NFC"], ["type": "Replace", "pattern": ["Regex": #"\s+"#], "content": " "], ["type": "Lowercase"],
        ],
      ],
      "pre_tokenizer": [
        "type": "Sequence",
        "pretokenizers": [
          ["type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Removed", "invert": true],
          ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true],
        ],
      ],
      "post_processor": [
        "type": "RobertaProcessing", "sep": mark(vocabulary.end), "cls": mark(vocabulary.begin), "trim_offsets": false,
        "add_prefix_space": false,
      ],
      "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .string(vocabulary.tokens[Int(vocabulary.end)]),
        "continuing_subword_prefix": "", "end_of_word_suffix": .string(ClipVocabulary.endOfWord), "fuse_unk": false,
        "byte_fallback": false, "ignore_merges": false,
        "vocab": .object(JSONObject(vocabulary.tokens.enumerated().map { ($1, .integer($0)) })),
        "merges": .array(vocabulary.merges.map { [.string($0.left), .string($0.right)] }),
      ],
    ]
    return file.compact + "\n"
  }
}
