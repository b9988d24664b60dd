import Diagnostics
import ModelFiles

extension Tokenizer {
  /// The metadata of a GGUF file for this vocabulary.
  ///
  /// - Parameter logits: the number of the model's logits; ids beyond the vocabulary become unused tokens.
  /// - Throws: `Failure(.badData)` for a vocabulary without a GGUF form.
  public func ggufEntries(
    logits: Int, at place: String
  ) throws -> [(key: String, value: GGUFWriter.Value)] {
    guard let rule = GGUFVocabulary.name(of: vocabulary.rules) else {
      throw Failure(
        .badData,
        "the splitting rule \(vocabulary.rules.splitting.rawValue) of the vocabulary"
          + (vocabulary.rules.prefix == .none ? "" : ", with a blank before texts,") + " has no GGUF form", at: place)
    }
    let strict = vocabulary.added.first { !$0.matching.isDisjoint(with: [.singleWord, .leftStrip, .rightStrip]) }
    if let strict {
      throw Failure(
        .badData, "lstrip, rstrip or single_word of the added token '\(strict.content)' has no GGUF form", at: place)
    }
    let specials = Set(vocabulary.specials.map(\.id))
    let added = Set(vocabulary.added.map(\.id))
    let outside = vocabulary.idsOutsideModel
    var (tokens, kinds): ([String], [Int]) = ([], [])
    for id in 0..<max(logits, vocabulary.size) {
      let token = id < vocabulary.size ? vocabulary.tokens[id] : nil
      let isOutside = outside.contains(Int32(id))
      tokens.append(
        token.map { isOutside ? String(decoding: $0, as: UTF8.self) : ByteAlphabet.spelling(of: $0) } ?? "[PAD\(id)]")
      kinds.append(
        token == nil
          ? GGUFVocabulary.unusedKind
          : GGUFVocabulary.kind(isSpecial: specials.contains(Int32(id)), isAdded: added.contains(Int32(id))))
    }
    func spelling(_ id: Int32) -> String { ByteAlphabet.spelling(of: vocabulary.tokens[Int(id)]!) }
    return [
      ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string(rule)),
      ("tokenizer.ggml.tokens", .strings(tokens)), ("tokenizer.ggml.token_type", .integers(kinds)),
      ("tokenizer.ggml.merges", .strings(vocabulary.merges.map { "\(spelling($0.left)) \(spelling($0.right))" })),
      ("tokenizer.ggml.bos_token_id", .uint32(Int(beginOfText ?? endOfText))),
      ("tokenizer.ggml.eos_token_id", .uint32(Int(endOfText))),
      ("tokenizer.ggml.add_bos_token", .bool(addsBeginOfText)),
    ]
  }
}

extension GGUFVocabulary {
  /// The name of a rule in llama.cpp; nil for rules that it does not know.
  static func name(of rules: TokenizationRules) -> String? {
    Self.rules.first { $0.rules == rules }?.names[0]
  }

  static let unusedKind = Kind.unused.rawValue

  static func kind(isSpecial: Bool, isAdded: Bool) -> Int {
    (isSpecial ? Kind.control : isAdded ? Kind.userDefined : Kind.normal).rawValue
  }
}
