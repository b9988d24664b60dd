import Artifacts

extension TokenizerFile {
  /// The file's text; Python's `tokenizers` loads it and gives equal ids.
  static func text(_ vocabulary: Vocabulary) -> String {
    let spellings = spellings(vocabulary)
    let added = Set(vocabulary.added.map(\.id))
    var tokens = JSONObject(minimumCapacity: vocabulary.size)
    for (id, spelling) in spellings.enumerated() where !added.contains(Int32(id)) {
      if let spelling { tokens[spelling] = .integer(id) }
    }
    func spelling(_ id: Int32) -> JSON { .string(spellings[Int(id)]!) }
    let isSentencePiece = vocabulary.rules.splitting == .sentencePiece
    let file: JSON = [
      "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(addedTokens(vocabulary)),
      "normalizer": normalizer(vocabulary.rules), "pre_tokenizer": pretokenizer(vocabulary.rules),
      "post_processor": .null, "decoder": decoder(vocabulary.rules),
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": .null,
        "end_of_word_suffix": .null, "fuse_unk": false, "byte_fallback": .bool(isSentencePiece),
        "ignore_merges": .bool(vocabulary.rules.ignoresMerges), "vocab": .object(tokens),
        "merges": .array(vocabulary.merges.map { [spelling($0.left), spelling($0.right)] }),
      ],
    ]
    return file.pretty
  }

  /// How each id is spelt; nil for those that nothing uses.
  private static func spellings(_ vocabulary: Vocabulary) -> [String?] {
    let outside = vocabulary.idsOutsideMerges
    let isSentencePiece = vocabulary.rules.splitting == .sentencePiece
    let bytes = isSentencePiece ? Set(vocabulary.idOfByte) : []
    return vocabulary.tokens.enumerated().map { index, token in
      guard let token else { return nil }
      let id = Int32(index)
      if outside.contains(id) { return String(decoding: token, as: UTF8.self) }
      if bytes.contains(id) { return SentencePieceAlphabet.spelling(ofByte: token[0]) }
      return isSentencePiece ? SentencePieceAlphabet.spelling(of: token) : ByteAlphabet.spelling(of: token)
    }
  }

  private static func addedTokens(_ vocabulary: Vocabulary) -> [JSON] {
    let specials = vocabulary.specials.map { ($0.id, $0.content, isNormalized: false, isSpecial: true) }
    let added = vocabulary.added.map { ($0.id, $0.content, isNormalized: $0.isNormalized, isSpecial: false) }
    return (specials + added).sorted { $0.0 < $1.0 }.map { id, content, isNormalized, isSpecial in
      [
        "id": .integer(Int(id)), "content": .string(content), "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": .bool(isNormalized), "special": .bool(isSpecial),
      ]
    }
  }

  private static func normalizer(_ rules: TokenizationRules) -> JSON {
    guard rules.splitting == .sentencePiece else { return rules.composes ? ["type": "NFC"] : .null }
    let blank = JSON.string(SentencePieceAlphabet.blankText)
    switch rules.prefix {
    case .everywhere:
      return [
        "type": "Sequence",
        "normalizers": [
          ["type": "Prepend", "prepend": blank], ["type": "Replace", "pattern": ["String": " "], "content": blank],
        ],
      ]
    // The pre-tokeniser does it.
    case .none, .missing, .missingAtStart: return .null
    }
  }

  private static func pretokenizer(_ rules: TokenizationRules) -> JSON {
    func byteLevel(usesRule: Bool) -> JSON {
      ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .bool(usesRule)]
    }
    if let pattern = SplittingPatterns.pattern(of: rules.splitting) {
      let split: JSON = [
        "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated", "invert": false,
      ]
      return ["type": "Sequence", "pretokenizers": [split, byteLevel(usesRule: false)]]
    }
    switch rules.splitting {
    case .gpt2Digits:
      let digits: JSON = ["type": "Digits", "individual_digits": true]
      return ["type": "Sequence", "pretokenizers": [digits, byteLevel(usesRule: true)]]
    case .sentencePiece:
      let schemes: [TokenizationRules.Prefix: JSON] = [.none: "never", .missing: "always", .missingAtStart: "first"]
      guard let scheme = schemes[rules.prefix] else { return .null }
      return [
        "type": "Metaspace", "replacement": .string(SentencePieceAlphabet.blankText), "prepend_scheme": scheme,
        "split": false,
      ]
    default: return byteLevel(usesRule: true)
    }
  }

  private static func decoder(_ rules: TokenizationRules) -> JSON {
    guard rules.splitting == .sentencePiece else {
      return ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true]
    }
    let blank = JSON.string(SentencePieceAlphabet.blankText)
    let strip: [JSON] = rules.prefix == .none ? [] : [["type": "Strip", "content": " ", "start": 1, "stop": 0]]
    return [
      "type": "Sequence",
      "decoders": .array(
        [
          ["type": "Replace", "pattern": ["String": blank], "content": " "], ["type": "ByteFallback"],
          ["type": "Fuse"],
        ] + strip),
    ]
  }
}
