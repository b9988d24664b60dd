import JSON

extension TokenizerFile {
  /// The text of the file, from which Python's `tokenizers` gives equal ids.
  static func text(_ vocabulary: Vocabulary) -> String {
    let spellings = spellings(vocabulary)
    let numbered = tokensNumberedByTheirOrder(vocabulary)
    var tokens = JSONObject(minimumCapacity: vocabulary.size)
    for (id, spelling) in spellings.enumerated() where !numbered.contains(Int32(id)) {
      if let spelling, tokens[spelling] == nil { tokens[spelling] = .integer(id) }
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
    guard !vocabulary.ranks.isEmpty else { return file.pretty }
    var ranked = file
    ranked["model"]![sharedRanksName] = .array(sharedRanks(vocabulary.ranks))
    return ranked.pretty
  }

  /// The added tokens that the model's vocabulary may omit, because `tokenizers` gives them the ids after its end.
  private static func tokensNumberedByTheirOrder(_ vocabulary: Vocabulary) -> Set<Int32> {
    var (numbered, next) = (Set<Int32>(), Int32(vocabulary.tokens.count { $0 != nil }))
    for token in (vocabulary.specials + vocabulary.added).sorted(by: { $0.id > $1.id }) {
      guard token.id == next - 1, !vocabulary.inModel.contains(token.id) else { break }
      numbered.insert(token.id)
      next -= 1
    }
    return numbered
  }

  /// For each run of merges that share a rank: the place of the first, and their number.
  private static func sharedRanks(_ ranks: [Int32]) -> [JSON] {
    var runs: [JSON] = []
    var start = 0
    for place in 1...ranks.count where place == ranks.count || ranks[place] != ranks[start] {
      if place - start > 1 { runs.append([.integer(start), .integer(place - start)]) }
      start = place
    }
    return runs
  }

  /// The spelling of each id; nil for unused ids.
  private static func spellings(_ vocabulary: Vocabulary) -> [String?] {
    let outside = vocabulary.idsOutsideModel
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
    let specials = vocabulary.specials.map { ($0, isSpecial: true) }
    let added = vocabulary.added.map { ($0, isSpecial: false) }
    return (specials + added).sorted { $0.0.id < $1.0.id }.map { token, isSpecial in
      func flag(_ flag: Vocabulary.Matching) -> JSON { .bool(token.matching.contains(flag)) }
      return [
        "id": .integer(Int(token.id)), "content": .string(token.content), "single_word": flag(.singleWord),
        "lstrip": flag(.leftStrip), "rstrip": flag(.rightStrip), "normalized": flag(.normalized),
        "special": .bool(isSpecial),
      ]
    }
  }

  private static func normalizer(_ rules: TokenizationRules) -> JSON {
    guard rules.splitting == .sentencePiece else { return rules.composes ? ["type": "NFC"] : .null }
    // Otherwise the pre-tokeniser replaces blanks.
    guard rules.blanksComeFirst else { return .null }
    let blank = JSON.string(SentencePieceAlphabet.blankText)
    let replacement: JSON = ["type": "Replace", "pattern": ["String": " "], "content": blank]
    guard rules.prefix == .everywhere else { return replacement }
    return ["type": "Sequence", "normalizers": [["type": "Prepend", "prepend": blank], replacement]]
  }

  private static func pretokenizer(_ rules: TokenizationRules) -> JSON {
    func byteLevel(usesRule: Bool) -> JSON {
      [
        "type": "ByteLevel", "add_prefix_space": .bool(rules.prefix != .none), "trim_offsets": true,
        "use_regex": .bool(usesRule),
      ]
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
      guard !rules.blanksComeFirst, let scheme = schemes[rules.prefix] else { return .null }
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
