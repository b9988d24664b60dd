import Diagnostics

/// A vocabulary whose file gives no merges but an order of preference: the pair of neighbours merges first whose joined
/// token comes first.
enum RankedVocabulary {
  /// The merges that come to the same, as Hugging Face's converters list them: tokens in their order, and of the ways
  /// to make one those of early parts first.
  ///
  /// - Parameters:
  ///   - tokens: in the order of preference.
  ///   - rank: of each token, also of those that are no result of a merge.
  static func merges<Token: Hashable & RangeReplaceableCollection>(
    making tokens: [Token], rank: [Token: Int]
  ) -> [(left: Token, right: Token)] {
    tokens.flatMap { token in
      token.indices.dropFirst()
        .compactMap { cut -> (left: Token, right: Token, ranks: (Int, Int))? in
          let (left, right) = (Token(token[..<cut]), Token(token[cut...]))
          guard let first = rank[left], let second = rank[right] else { return nil }
          return (left, right, (first, second))
        }
        .sorted { $0.ranks < $1.ranks }
        .map { ($0.left, $0.right) }
    }
  }
}

/// `tiktoken`'s files: on each line a token in base 64, a blank and its rank, which is its id.
enum TiktokenFile {
  /// - Throws: `Failure(.badData)` naming the line at fault.
  static func vocabulary(_ bytes: [UInt8], source: String) throws -> Vocabulary {
    var tokens: [[UInt8]?] = []
    var ranks: [[UInt8]: Int] = [:]
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n")).enumerated() {
      let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard parts.count == 2, let token = base64(parts[0]), !token.isEmpty,
        let rank = Int(String(decoding: parts[1], as: UTF8.self)), (0..<Vocabulary.maximumSize).contains(rank),
        ranks.updateValue(rank, forKey: token) == nil
      else {
        throw Failure(.badData, "line \(index + 1): expected a new token in base 64 and its rank", at: source)
      }
      if rank >= tokens.count { tokens += Array(repeating: nil, count: rank + 1 - tokens.count) }
      guard tokens[rank] == nil else {
        throw Failure(.badData, "line \(index + 1): the rank \(rank) is used twice", at: source)
      }
      tokens[rank] = token
    }
    guard let encoding = KnownEncoding(tokens.count) else {
      let known = KnownEncoding.all.map { "\($0.name) (\($0.ranks))" }.joined(separator: ", ")
      throw Failure(
        .badData, "has \(tokens.count) ranks, from which its splitting rule does not follow; known are \(known)",
        at: source)
    }
    let merges = RankedVocabulary.merges(making: tokens.compactMap { $0 }.filter { $0.count > 1 }, rank: ranks)
    tokens += Array(repeating: nil, count: max(0, encoding.endOfText + 1 - tokens.count))
    tokens[encoding.endOfText] = Array(Vocabulary.endOfTextName.utf8)
    return try Vocabulary(
      tokens: tokens,
      merges: merges.map {
        Vocabulary.Merge(left: Int32(ranks[$0]!), right: Int32(ranks[$1]!), merged: Int32(ranks[$0 + $1]!))
      },
      specials: [Vocabulary.Special(id: Int32(encoding.endOfText), content: Vocabulary.endOfTextName)],
      rules: TokenizationRules(splitting: encoding.splitting, ignoresMerges: true), source: source)
  }

  /// The file holds ranks only; which encoding it is shows in how many.
  private struct KnownEncoding {
    let name: String
    let ranks: Int
    let endOfText: Int
    let splitting: TokenizationRules.Splitting

    static let all = [
      KnownEncoding(name: "r50k_base", ranks: 50_256, endOfText: 50_256, splitting: .gpt2),
      KnownEncoding(name: "cl100k_base", ranks: 100_256, endOfText: 100_257, splitting: .cl100k),
      KnownEncoding(name: "o200k_base", ranks: 199_998, endOfText: 199_999, splitting: .o200k),
    ]

    init(name: String, ranks: Int, endOfText: Int, splitting: TokenizationRules.Splitting) {
      self.name = name
      self.ranks = ranks
      self.endOfText = endOfText
      self.splitting = splitting
    }

    init?(_ ranks: Int) {
      guard let known = Self.all.first(where: { $0.ranks == ranks }) else { return nil }
      self = known
    }
  }

  private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    var (buffer, bits, padding) = (UInt32(0), 0, 0)
    for character in text {
      let value: UInt32
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(character - UInt8(ascii: "A"))
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(character - UInt8(ascii: "a")) + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(character - UInt8(ascii: "0")) + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      case UInt8(ascii: "="):
        padding += 1
        continue
      default: return nil
      }
      guard padding == 0 else { return nil }
      buffer = buffer << 6 | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
      }
    }
    return padding <= 2 ? bytes : nil
  }
}
