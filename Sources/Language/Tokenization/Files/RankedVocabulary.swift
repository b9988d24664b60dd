import Diagnostics

/// A vocabulary with an order of tokens instead of merges: of all pairs, the pair whose joined token comes first in the
/// order merges first.
enum RankedVocabulary {
  /// The longest token that is accepted, far longer than those of published vocabularies. The time to find a token's
  /// merges grows with the square of its length.
  static let longestToken = 1024

  /// The equivalent merges, as Hugging Face's converters list them: by the order of their results, and for one result
  /// by the ids of its parts.
  ///
  /// - Parameters:
  ///   - tokens: in the order of preference.
  ///   - ids: of these tokens and of their possible parts.
  ///   - source: the file that a failure names.
  /// - Throws: `Failure(.badData)` if a token is too long, or there are too many merges.
  static func merges<Token: Hashable & RangeReplaceableCollection>(
    making tokens: [Token], ids: [Token: Int], source: String
  ) throws -> [Vocabulary.Merge] {
    var merges: [Vocabulary.Merge] = []
    for token in tokens {
      let merged = Int32(ids[token]!)
      guard token.count <= longestToken else {
        throw Failure(
          .badData, "the token \(merged) is \(token.count) long; at most \(longestToken) is supported", at: source)
      }
      let ways = token.indices.dropFirst().compactMap { cut -> (left: Int, right: Int)? in
        guard let left = ids[Token(token[..<cut])], let right = ids[Token(token[cut...])] else { return nil }
        return (left: left, right: right)
      }
      for way in ways.sorted(by: { ($0.left, $0.right) < ($1.left, $1.right) }) {
        merges.append(Vocabulary.Merge(left: Int32(way.left), right: Int32(way.right), merged: merged))
      }
      guard merges.count <= Vocabulary.maximumMerges else {
        throw Failure(.badData, "has more than the \(Vocabulary.maximumMerges) merges that are supported", at: source)
      }
    }
    return merges
  }

  /// The rank of each merge for tokens with scores, the best first. Merges to tokens of equal score share a rank, so
  /// that the leftmost pair merges first.
  ///
  /// - Returns: an empty array if no two tokens have equal scores; the order of one token's merges then does not
  ///   matter.
  static func ranks<Score: Equatable>(of merges: [Vocabulary.Merge], score: (Int32) -> Score) -> [Int32] {
    var ranks: [Int32] = []
    ranks.reserveCapacity(merges.count)
    var isShared = false
    for (before, merge) in zip([nil] + merges.map(Optional.some), merges) {
      guard let before else {
        ranks.append(0)
        continue
      }
      let isEqual = score(before.merged) == score(merge.merged)
      if isEqual && before.merged != merge.merged { isShared = true }
      ranks.append(ranks.last! + (isEqual ? 0 : 1))
    }
    return isShared ? ranks : []
  }
}

/// `tiktoken`'s files: each line has a token in base 64, a blank and the token's rank, which is its id.
enum TiktokenFile {
  /// - Parameter encodings: the encodings that the file may contain.
  /// - Throws: `Failure(.badData)` with the line of the fault.
  static func vocabulary(
    _ bytes: [UInt8], among encodings: [KnownEncoding] = KnownEncoding.all, source: String
  ) throws -> Vocabulary {
    var tokens: [[UInt8]?] = []
    var ranks: [[UInt8]: Int] = [:]
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      // Windows ends lines with CR LF.
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      if line.isEmpty { continue }
      guard let (token, rank) = entry(line), ranks.updateValue(rank, forKey: token) == nil else {
        throw Failure(.badData, "line \(index + 1): expected a new token in base 64 and its rank", at: source)
      }
      if rank >= tokens.count { tokens += Array(repeating: nil, count: rank + 1 - tokens.count) }
      guard tokens[rank] == nil else {
        throw Failure(.badData, "line \(index + 1): the rank \(rank) is used twice", at: source)
      }
      tokens[rank] = token
    }
    guard let encoding = encodings.first(where: { $0.ranks == tokens.count }) else {
      let known = encodings.map { "\($0.name) (\($0.ranks))" }.joined(separator: ", ")
      throw Failure(
        .badData, "has \(tokens.count) ranks, from which its splitting rule does not follow; known are \(known)",
        at: source)
    }
    let merges = try RankedVocabulary.merges(
      making: tokens.compactMap { $0 }.filter { $0.count > 1 }, ids: ranks, source: source)
    tokens += Array(repeating: nil, count: max(0, encoding.endOfText + 1 - tokens.count))
    tokens[encoding.endOfText] = Array(Vocabulary.endOfTextName.utf8)
    return try Vocabulary(
      tokens: tokens, merges: merges,
      specials: [Vocabulary.Added(id: Int32(encoding.endOfText), content: Vocabulary.endOfTextName)],
      rules: TokenizationRules(splitting: encoding.splitting, ignoresMerges: true), source: source)
  }

  /// The token and rank of a line; nil for any other line.
  private static func entry(_ line: ArraySlice<UInt8>) -> (token: [UInt8], rank: Int)? {
    let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, let token = base64(parts[0]), !token.isEmpty,
      let rank = Int(String(decoding: parts[1], as: UTF8.self)), (0..<Vocabulary.maximumSize).contains(rank)
    else { return nil }
    return (token, rank)
  }

  /// Whether a file's first line has a token and its rank.
  static func looksLike(_ bytes: [UInt8]) -> Bool {
    entry(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }) != nil
  }

  /// A published encoding. A file has only ranks; their number identifies the encoding.
  struct KnownEncoding: Sendable {
    let name: String
    let ranks: Int
    let endOfText: Int
    let splitting: TokenizationRules.Splitting

    static let all = [
      KnownEncoding(name: "r50k_base", ranks: 50_256, endOfText: 50_256, splitting: .gpt2),
      KnownEncoding(name: "cl100k_base", ranks: 100_256, endOfText: 100_257, splitting: .cl100k),
      KnownEncoding(name: "o200k_base", ranks: 199_998, endOfText: 199_999, splitting: .o200k),
    ]
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
