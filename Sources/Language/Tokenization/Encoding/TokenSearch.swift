/// The added tokens of a vocabulary, ready to be looked for: first in the text as it came, then in what the normaliser
/// makes of each stretch between them.
struct TokenSearch: Sendable {
  let raw: AddedTokens
  let normalized: AddedTokens

  var isEmpty: Bool { raw.isEmpty && normalized.isEmpty }

  /// - Parameter specials: whether text that spells a special token means it.
  init(_ vocabulary: Vocabulary, specials: Bool) {
    let tokens = vocabulary.specials.map { ($0, isText: !specials) } + vocabulary.added.map { ($0, isText: false) }
    func patterns(_ isNormalized: Bool) -> [AddedTokens.Pattern] {
      tokens.filter { $0.0.matching.contains(.normalized) == isNormalized }.map { token, isText in
        let content = Array(token.content.utf8)
        return AddedTokens.Pattern(
          bytes: isNormalized ? Self.normalized(content, vocabulary.rules) : content, id: UInt32(token.id),
          matching: token.matching, isText: isText)
      }
    }
    raw = AddedTokens(patterns(false))
    normalized = AddedTokens(patterns(true), blanksAreWhite: !vocabulary.rules.blanksComeFirst)
  }

  /// Two tokens that normalisation makes the same.
  static func ambiguous(_ tokens: [Vocabulary.Added], _ rules: TokenizationRules) -> (String, String)? {
    var known: [[UInt8]: String] = [:]
    for token in tokens where token.matching.contains(.normalized) {
      let pattern = normalized(Array(token.content.utf8), rules)
      if let other = known.updateValue(token.content, forKey: pattern) { return (other, token.content) }
    }
    return nil
  }

  /// What tells which added tokens are found where: two vocabularies of equal rules with equal ones find the same.
  static func signature(_ vocabulary: Vocabulary) -> Set<[Int]> {
    Set(
      vocabulary.added.map { token in
        let content = Array(token.content.utf8)
        let pattern = token.matching.contains(.normalized) ? normalized(content, vocabulary.rules) : content
        return [Int(token.id), Int(token.matching.subtracting(.normalized).rawValue)] + pattern.map(Int.init)
      })
  }

  private init(raw: AddedTokens, normalized: AddedTokens) {
    self.raw = raw
    self.normalized = normalized
  }

  /// No tokens.
  static let none = TokenSearch(raw: AddedTokens([]), normalized: AddedTokens([]))

  /// What the normaliser makes of a token's content.
  private static func normalized(_ content: [UInt8], _ rules: TokenizationRules) -> [UInt8] {
    if rules.composes {
      var composed = ByteBuffer(capacity: content.count)
      content.withUnsafeBufferPointer { Composition.shared.append($0, to: &composed) }
      return Array(composed.bytes)
    }
    guard rules.blanksComeFirst else { return content }
    return (rules.prefix == .everywhere ? [UInt8(ascii: " ")] : []) + SentencePieceAlphabet.blanked(content)
  }
}
