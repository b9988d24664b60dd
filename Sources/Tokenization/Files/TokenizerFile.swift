import Artifacts
import Diagnostics

/// `tokenizer.json`, the format of Hugging Face's `tokenizers`, for byte-level BPE as GPT-2 has it.
///
/// What such a file may ask for beyond that (a normaliser, another splitting rule, tokens recognised inside text) would
/// change ids if it were passed over, so it is refused by name.
enum TokenizerFile {
  /// The file's text; Python's `tokenizers` loads it and gives equal ids.
  static func text(_ vocabulary: Vocabulary) -> String {
    let isSpecial = Set(vocabulary.specials.map(\.id))
    func spelling(_ id: Int32) -> String {
      let bytes = vocabulary.tokens[Int(id)]!
      return isSpecial.contains(id) ? String(decoding: bytes, as: UTF8.self) : ByteAlphabet.spelling(of: bytes)
    }
    var tokens = JSONObject(minimumCapacity: vocabulary.size)
    for id in vocabulary.tokens.indices where vocabulary.tokens[id] != nil {
      tokens[spelling(Int32(id))] = .integer(id)
    }
    let added = vocabulary.specials.map { special -> JSON in
      [
        "id": .integer(Int(special.id)), "content": .string(special.content), "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false, "special": true,
      ]
    }
    let file: JSON = [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(added), "normalizer": .null,
      "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true],
      "post_processor": .null,
      "decoder": ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true],
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null,
        "fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": .object(tokens),
        "merges": .array(
          vocabulary.merges.map { [.string(spelling($0.left)), .string(spelling($0.right))] }),
      ],
    ]
    return file.pretty
  }

  /// Reads a file's text.
  ///
  /// - Throws: `Failure(.badData)` naming what is damaged or not supported.
  static func vocabulary(_ bytes: some Collection<UInt8>, source: String) throws -> Vocabulary {
    let file = try JSON(parsing: bytes, source: source)
    try refuseWhatChangesIDs(file, source)
    guard let model = file["model"]?.objectValue else { throw missing("model", "an object", source) }
    guard let vocab = model["vocab"]?.objectValue else { throw missing("model.vocab", "an object", source) }
    guard let merges = model["merges"]?.arrayValue else { throw missing("model.merges", "an array", source) }
    let tokens = try vocab.map { spelling, id in
      guard let id = id.intValue else { throw missing("the id of '\(spelling)'", "an integer", source) }
      return (spelling: spelling, id: id)
    }
    return try SpelledVocabulary(
      tokens: tokens, merges: merges.enumerated().map { try merge($1, rank: $0, source) },
      specials: try specials(file, source), source: source
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

  private static func specials(_ file: JSON, _ source: String) throws -> [Vocabulary.Special] {
    var seen: Set<Int> = []
    return try (file["added_tokens"]?.arrayValue ?? []).map { token in
      guard let id = token["id"]?.intValue, id >= 0, id < Vocabulary.maximumSize,
        let content = token["content"]?.stringValue, seen.insert(id).inserted
      else { throw missing("each of added_tokens", "a token with a content and an id of its own", source) }
      guard token["special"]?.boolValue == true else {
        throw unsupported("the added token '\(content)' that is not special", source)
      }
      return Vocabulary.Special(id: Int32(id), content: content)
    }
  }

  private static func refuseWhatChangesIDs(_ file: JSON, _ source: String) throws {
    for key in ["truncation", "padding", "normalizer"] {
      if let value = file[key], !value.isNull { throw unsupported(named(key, value), source) }
    }
    for key in ["post_processor", "decoder"] {
      if let value = file[key], !value.isNull, value["type"]?.stringValue != "ByteLevel" {
        throw unsupported(named(key, value), source)
      }
    }
    let splitting = file["pre_tokenizer"] ?? .null
    guard splitting["type"]?.stringValue == "ByteLevel" else {
      throw unsupported(named("pre_tokenizer", splitting), source)
    }
    if splitting["add_prefix_space"]?.boolValue != false { throw unsupported("pre_tokenizer.add_prefix_space", source) }
    if splitting["use_regex"]?.boolValue == false { throw unsupported("pre_tokenizer.use_regex: false", source) }
    try refuseWhatChangesMerging(file["model"] ?? .null, source)
  }

  private static func refuseWhatChangesMerging(_ model: JSON, _ source: String) throws {
    if let type = model["type"], type != "BPE" { throw unsupported(named("model", model), source) }
    let neutral: [String: [JSON]] = [
      "dropout": [.null, 0, 0.0], "unk_token": [.null], "continuing_subword_prefix": [.null, ""],
      "end_of_word_suffix": [.null, ""], "byte_fallback": [false], "ignore_merges": [false], "fuse_unk": [false, true],
    ]
    for (key, value) in model.objectValue ?? [:] where !["type", "vocab", "merges"].contains(key) {
      if neutral[key]?.contains(value) != true { throw unsupported("model.\(key): \(value.compact)", source) }
    }
  }

  private static func named(_ key: String, _ value: JSON) -> String {
    value["type"]?.stringValue.map { "\(key) '\($0)'" } ?? key + (value.isNull ? ": null" : "")
  }

  private static func unsupported(_ what: String, _ source: String) -> Failure {
    Failure(.badData, "\(what) is not supported; only byte-level BPE with GPT-2's splitting rule is", at: source)
  }

  private static func missing(_ what: String, _ expected: String, _ source: String) -> Failure {
    Failure(.badData, "\(what) should be \(expected)", at: source)
  }
}
