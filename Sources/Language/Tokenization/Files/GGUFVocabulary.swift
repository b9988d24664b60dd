import Diagnostics
import JSON
import ModelFiles

/// The vocabulary inside a GGUF file, as llama.cpp reads it.
struct GGUFVocabulary {
  /// `tokenizer.ggml.token_type`.
  enum Kind: Int {
    case normal = 1
    case unknown = 2
    case control = 3
    /// Added by the makers of the model; recognised wherever text spells it.
    case userDefined = 4
    case unused = 5
    case byte = 6
  }

  private let metadata: GGUFMetadata
  private let tokens: [String]
  private let kinds: [Kind]

  private static func key(_ name: String) -> String { "tokenizer.ggml.\(name)" }

  /// Whether a file has a vocabulary.
  static func isIn(_ file: GGUFFile) -> Bool { file.metadata[key("model")] != nil }

  init(_ file: GGUFFile) throws {
    metadata = file.metadata
    tokens = try metadata.strings(Self.key("tokens"))
    guard tokens.count <= Vocabulary.maximumSize else {
      throw metadata.failure(
        Self.key("tokens"), "has \(tokens.count) tokens; at most \(Vocabulary.maximumSize) are supported")
    }
    let numbers = try metadata.integers(ifPresent: Self.key("token_type")) ?? tokens.map { _ in Kind.normal.rawValue }
    guard numbers.count == tokens.count else {
      throw metadata.failure(Self.key("token_type"), "has \(numbers.count) entries for \(tokens.count) tokens")
    }
    kinds = try numbers.map { [metadata] number in
      guard let kind = Kind(rawValue: number) else {
        throw metadata.failure(Self.key("token_type"), "holds \(number), which is not known")
      }
      return kind
    }
  }

  /// - Throws: `Failure(.badData)` with the key that is damaged or not supported.
  func tokenizer() throws -> Tokenizer {
    let model = try metadata.string(Self.key("model"))
    let vocabulary: Vocabulary
    switch model {
    case "gpt2": vocabulary = try byteLevel()
    case "llama": vocabulary = try sentencePiece()
    default:
      throw metadata.failure(Self.key("model"), "is \"\(model)\"; supported are gpt2 and llama")
    }
    return try Tokenizer(
      vocabulary, marks: marks(isSentencePiece: model == "llama"), warnings: warnings(vocabulary), source: metadata.path
    )
  }

  /// Warnings of guessed rules, and of rules that a `tokenizer.json` cannot state for other programs.
  private func warnings(_ vocabulary: Vocabulary) throws -> [String] {
    var warnings: [String] = []
    if vocabulary.rules.splitting == .llamaDefault {
      let stated = try metadata.string(ifPresent: Self.key("pre")).map { "is \"\($0)\"" } ?? "is missing"
      warnings.append(
        "\(metadata.path): \(Self.key("pre")) \(stated): text is split by llama.cpp's default rule, which is "
          + "probably not the rule of the model's training")
    }
    if !vocabulary.ranks.isEmpty {
      warnings.append(
        "\(metadata.path): some tokens have equal scores; of their pairs the leftmost merges first, as in llama.cpp. "
          + "A tokenizer.json cannot state this, so Python's tokenizers may give other ids")
    }
    return warnings
  }

  private func marks(isSentencePiece: Bool) throws -> Tokenizer.Marks {
    func id(_ name: String) throws -> Int32? {
      guard let id = try metadata.integer(ifPresent: Self.key(name)) else { return nil }
      guard tokens.indices.contains(id) else { throw metadata.failure(Self.key(name), "is \(id): no such token") }
      return Int32(id)
    }
    let stated = try metadata.bool(ifPresent: Self.key("add_bos_token"))
    let isLlama3 = try metadata.string(ifPresent: Self.key("pre")).map { Self.llama3.contains($0) } ?? false
    return Tokenizer.Marks(
      begin: try id("bos_token_id"), end: try id("eos_token_id"), addsBegin: stated ?? (isSentencePiece || isLlama3))
  }

  private func ids(_ wanted: Kind...) -> [(spelling: String, id: Int)] {
    zip(tokens, kinds).enumerated().compactMap { id, token in
      wanted.contains(token.1) ? (token.0, id) : nil
    }
  }

  private func specials() throws -> [Vocabulary.Added] {
    let phi3 = try isPhi3()
    return ids(.control, .unknown).map { token in
      let isPlain = ["<unk>", "<s>", "<|endoftext|>"].contains { ExactString($0) == ExactString(token.spelling) }
      return Vocabulary.Added(
        id: Int32(token.id), content: token.spelling, matching: phi3 && !isPlain ? .rightStrip : [])
    }
  }

  /// Whether special tokens include the white space on their right. No key states it; llama.cpp decides by the name.
  private func isPhi3() throws -> Bool {
    let name = try metadata.string(ifPresent: "general.name").map { Array($0.lowercased().utf8) } ?? []
    return ["phi-3", "phi3"].contains { !name.ranges(of: Array($0.utf8)).isEmpty }
  }

  // MARK: Byte-level BPE

  /// The names of Llama 3's rule in llama.cpp's converter.
  private static let llama3 = [
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano",
  ]

  static let rules: [(names: [String], rules: TokenizationRules)] = [
    (["gpt-2", "phi-2", "jais", "gigachat", "mellum", "trillion", "granite-docling"], TokenizationRules()),
    // Trained on composed text.
    (["olmo", "mpt"], TokenizationRules(composes: true)),
    (["smollm", "starcoder", "refact", "codeshell"], TokenizationRules(splitting: .gpt2Digits)),
    (llama3, TokenizationRules(splitting: .llama3, ignoresMerges: true)),
    (["dbrx", "smaug-bpe"], TokenizationRules(splitting: .llama3)),
    (["qwen2", "deepseek-r1-qwen", "megrez"], TokenizationRules(splitting: .qwen2, composes: true)),
    (["stablelm2"], TokenizationRules(splitting: .qwen2)),
    (["qwen35"], TokenizationRules(splitting: .qwen35)),
    (["gpt-4o", "llama4"], TokenizationRules(splitting: .o200k)),
    (["default"], TokenizationRules(splitting: .llamaDefault)),
  ]

  private func byteLevel() throws -> Vocabulary {
    let rules = try byteLevelRules()
    let merges = try metadata.strings(Self.key("merges")).enumerated().map { index, merge in
      guard let parts = MergeLine.parts(merge) else {
        throw metadata.failure("\(Self.key("merges"))[\(index)]", "is '\(merge)', expected two tokens")
      }
      return parts
    }
    return try SpelledVocabulary(
      tokens: ids(.normal, .byte), merges: merges, specials: specials(),
      added: ids(.userDefined).map { token in
        // Some files spell these tokens as text, some in the byte-level alphabet.
        let content = ByteAlphabet.bytes(spelledBy: token.spelling)
        return Vocabulary.Added(
          id: Int32(token.id), content: content.flatMap { String(validating: $0, as: UTF8.self) } ?? token.spelling)
      }, rules: rules, source: metadata.path
    ).vocabulary()
  }

  private func byteLevelRules() throws -> TokenizationRules {
    guard let name = try metadata.string(ifPresent: Self.key("pre")) else {
      // Older files do not state the rule. Only for one architecture it is certain.
      let isNeoX = try metadata.string(ifPresent: "general.architecture") == "gptneox"
      return isNeoX ? TokenizationRules(composes: true) : TokenizationRules(splitting: .llamaDefault)
    }
    guard let entry = Self.rules.first(where: { $0.names.contains(name) }) else {
      let known = Self.rules.flatMap(\.names).joined(separator: ", ")
      throw metadata.failure(Self.key("pre"), "is \"\(name)\"; supported are \(known)")
    }
    return entry.rules
  }

  // MARK: SentencePiece

  private func sentencePiece() throws -> Vocabulary {
    guard let scores = try metadata.numbers(ifPresent: Self.key("scores")), scores.count == tokens.count else {
      throw metadata.failure(Self.key("scores"), "should hold a score for each of the \(tokens.count) tokens")
    }
    if try metadata.bool(ifPresent: Self.key("remove_extra_whitespaces")) == true {
      throw metadata.failure(Self.key("remove_extra_whitespaces"), "is true: not supported")
    }
    guard scores.allSatisfy({ !$0.isNaN }) else { throw metadata.failure(Self.key("scores"), "holds NaN") }
    let prefixes = try metadata.bool(ifPresent: Self.key("add_space_prefix")) ?? true
    // Keyed by scalars, because SentencePiece merges whole scalars.
    let normal = ids(.normal).map { (spelling: Array($0.spelling.unicodeScalars), id: $0.id) }
    let known = Dictionary(normal.map { ($0.spelling, $0.id) }) { first, _ in first }
    let ordered = normal.filter { $0.spelling.count > 1 }.sorted {
      scores[$0.id] == scores[$1.id] ? $0.id < $1.id : scores[$0.id] > scores[$1.id]
    }
    let merges = try RankedVocabulary.merges(making: ordered.map(\.spelling), ids: known, source: metadata.path)
    return try SpelledVocabulary(
      tokens: ids(.normal, .byte),
      merges: merges.map { (left: tokens[Int($0.left)], right: tokens[Int($0.right)]) },
      ranks: RankedVocabulary.ranks(of: merges) { scores[Int($0)] }, specials: specials(),
      added: ids(.userDefined).map { Vocabulary.Added(id: Int32($0.id), content: $0.spelling) },
      rules: TokenizationRules(splitting: .sentencePiece, prefix: prefixes ? .everywhere : .none),
      source: metadata.path
    ).vocabulary()
  }
}
