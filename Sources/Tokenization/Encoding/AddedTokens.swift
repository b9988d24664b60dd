/// Tokens that are recognised wherever text spells them, before it is split into pieces: of several the one that begins
/// first, and of those the longest.
struct AddedTokens: Sendable {
  private struct Token {
    let bytes: [UInt8]
    let id: UInt32
  }

  /// By their first byte, the longest first.
  private let byFirst: [[Token]]
  /// The length of the longest, in bytes; 0 where there are none.
  let longest: Int

  var isEmpty: Bool { longest == 0 }

  init(_ tokens: [(content: String, id: Int32)]) {
    var byFirst = [[Token]](repeating: [], count: 256)
    for (content, id) in tokens {
      let bytes = Array(content.utf8)
      byFirst[Int(bytes[0])].append(Token(bytes: bytes, id: UInt32(id)))
    }
    self.byFirst = byFirst.map { $0.sorted { $0.bytes.count > $1.bytes.count } }
    longest = tokens.map(\.content.utf8.count).max() ?? 0
  }

  /// Writes the ids of the tokens in a text, and between them those that `encode` writes for each stretch of other text.
  ///
  /// - Returns: how many ids there are.
  func split(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>,
    encode: (UnsafePointer<UInt8>, Int, UnsafeMutablePointer<UInt32>) -> Int
  ) -> Int {
    guard !isEmpty else { return count > 0 ? encode(text, count, output) : 0 }
    var (written, start, i) = (0, 0, 0)
    while i < count {
      guard let token = byFirst[Int(text[i])].first(where: { matches($0, text + i, available: count - i) }) else {
        i += 1
        continue
      }
      if start < i { written += encode(text + start, i - start, output + written) }
      output[written] = token.id
      written += 1
      i += token.bytes.count
      start = i
    }
    if start < count { written += encode(text + start, count - start, output + written) }
    return written
  }

  private func matches(_ token: Token, _ text: UnsafePointer<UInt8>, available: Int) -> Bool {
    token.bytes.count <= available
      && token.bytes.elementsEqual(UnsafeBufferPointer(start: text, count: token.bytes.count))
  }

  /// Whether a token may lie across a place in a text, of which more may follow, or end there.
  func mayReach(_ place: Int, _ text: UnsafePointer<UInt8>, count: Int) -> Bool {
    for start in max(0, place - longest)..<place {
      for token in byFirst[Int(text[start])] where token.bytes.count >= place - start {
        let known = min(token.bytes.count, count - start)
        if token.bytes[..<known].elementsEqual(UnsafeBufferPointer(start: text + start, count: known)) { return true }
      }
    }
    return false
  }
}
