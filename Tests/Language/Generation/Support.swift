import Tokenization

/// A vocabulary of the 256 bytes, each its own id, then special tokens, and after these tokens that merges make of two.
func byteTokenizer(
  _ specials: [String] = ["<|endoftext|>"], pairs: [(UInt8, UInt8)] = [],
  rules: TokenizationRules = TokenizationRules(), matching: Vocabulary.Matching = []
) throws -> Tokenizer {
  let bytes: [[UInt8]?] = (0..<256).map { [UInt8($0)] }
  let names: [[UInt8]?] = specials.map { Array($0.utf8) }
  let joined: [[UInt8]?] = pairs.map { [$0.0, $0.1] }
  let first = 256 + specials.count
  return try Tokenizer(
    Vocabulary(
      tokens: bytes + names + joined,
      merges: pairs.enumerated().map { place, pair in
        Vocabulary.Merge(left: Int32(pair.0), right: Int32(pair.1), merged: Int32(first + place))
      },
      specials: specials.enumerated().map { Vocabulary.Added(id: Int32(256 + $0), content: $1, matching: matching) },
      rules: rules, source: "a test"), source: "a test")
}

/// A text in that vocabulary, where nothing merges.
func ids(_ text: String) -> [Int32] { text.utf8.map(Int32.init) }
