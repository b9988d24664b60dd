/// Finds the added tokens of a vocabulary: first in the original text, then in the normalised form of each stretch
/// between these.
struct TokenSearch: Sendable {
  let raw: AddedTokens
  let normalized: AddedTokens

  var isEmpty: Bool { raw.isEmpty && normalized.isEmpty }

  /// - Parameter specials: whether text that spells a special token becomes that token.
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

  /// Two tokens whose normalised contents are equal; nil if there are none.
  static func ambiguous(_ tokens: [Vocabulary.Added], _ rules: TokenizationRules) -> (String, String)? {
    var known: [[UInt8]: String] = [:]
    for token in tokens where token.matching.contains(.normalized) {
      let pattern = normalized(Array(token.content.utf8), rules)
      if let other = known.updateValue(token.content, forKey: pattern) { return (other, token.content) }
    }
    return nil
  }

  /// Identifies the search: two vocabularies with equal rules and equal signatures find the same added tokens.
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

  /// The normalised content of a token.
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
