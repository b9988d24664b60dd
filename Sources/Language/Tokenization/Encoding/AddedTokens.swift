/// Finds tokens in text before the text is split into pieces: the token that begins first, and of several at one place
/// the longest. A match is accepted or left as text; in both cases the search continues after it, as in `tokenizers`.
struct AddedTokens: Sendable {
  struct Pattern: Sendable {
    let bytes: [UInt8]
    let id: UInt32
    let matching: Vocabulary.Matching
    /// Whether a match stays text: a special token when special tokens are not recognised.
    let isText: Bool
  }

  /// By their first byte, the longest first.
  private let byFirst: [[Pattern]]
  /// Whether blanks are white space; they are not if they represent SentencePiece's `▁`.
  private let blanksAreWhite: Bool
  /// The length of the longest token in bytes; 0 without tokens.
  let longest: Int

  /// Whether there are no tokens to find.
  var isEmpty: Bool { longest == 0 }

  /// - Parameter patterns: if all of them stay text, none is searched for.
  init(_ patterns: [Pattern], blanksAreWhite: Bool = true) {
    let patterns = patterns.allSatisfy(\.isText) ? [] : patterns.filter { !$0.bytes.isEmpty }
    var byFirst = [[Pattern]](repeating: [], count: 256)
    for pattern in patterns { byFirst[Int(pattern.bytes[0])].append(pattern) }
    self.byFirst = byFirst.map { $0.sorted { $0.bytes.count > $1.bytes.count } }
    self.blanksAreWhite = blanksAreWhite
    longest = patterns.map(\.bytes.count).max() ?? 0
  }

  /// Writes the ids of the tokens in a text, and between them the ids that `encode` writes for each stretch of other
  /// text.
  ///
  /// - Returns: the number of ids.
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
      var found = i..<i + token.bytes.count
      i = found.upperBound
      guard !token.isText else { continue }
      if !token.matching.isDisjoint(with: [.singleWord, .leftStrip, .rightStrip]) {
        guard let stripped = extent(of: token, at: found, after: start, text, count: count) else { continue }
        found = stripped
      }
      if start < found.lowerBound { written += encode(text + start, found.lowerBound - start, output + written) }
      // The range is empty for a token inside white space that the token before it included.
      if !found.isEmpty {
        output[written] = token.id
        written += 1
      }
      // This is before `i` if the token is inside white space that the token before it included.
      start = found.upperBound
    }
    if start < count { written += encode(text + start, count - start, output + written) }
    return written
  }

  @inline(__always)
  private func matches(_ token: Pattern, _ text: UnsafePointer<UInt8>, available: Int) -> Bool {
    token.bytes.count <= available
      && token.bytes.elementsEqual(UnsafeBufferPointer(start: text, count: token.bytes.count))
  }

  /// The range of a token with the white space that it includes; nil if it has to be a single word and is not.
  ///
  /// - Parameter start: the end of the token before it.
  private func extent(
    of token: Pattern, at found: Range<Int>, after start: Int, _ text: UnsafePointer<UInt8>, count: Int
  ) -> Range<Int>? {
    var (lower, upper) = (found.lowerBound, found.upperBound)
    if token.matching.contains(.singleWord) {
      let isJoined =
        lower > 0 && WordCharacters.contains(lastScalar(lower, text).code)
        || upper < count && WordCharacters.contains(scalar(text + upper).code)
      if isJoined { return nil }
    }
    if token.matching.contains(.leftStrip) {
      while lower > 0, case (let code, let length) = lastScalar(lower, text), isWhite(code) { lower -= length }
      lower = max(lower, start)
    }
    if token.matching.contains(.rightStrip) {
      while upper < count, case (let code, let length) = scalar(text + upper), isWhite(code) { upper += length }
    }
    return lower..<max(lower, upper)
  }

  private func isWhite(_ code: UInt32) -> Bool {
    CharacterClasses.shared.of(code) == .whiteSpace && (blanksAreWhite || code != 0x20)
  }

  /// The last scalar before `end`.
  private func lastScalar(_ end: Int, _ text: UnsafePointer<UInt8>) -> (code: UInt32, length: Int) {
    scalar(text + scalarStart(text, before: end))
  }

  /// Whether a token may lie across a place in a text, end there, or begin there and depend on the scalar before it.
  /// More text may follow.
  func mayReach(_ place: Int, _ text: UnsafePointer<UInt8>, count: Int) -> Bool {
    for start in max(0, place - longest)...place where start < count {
      for token in byFirst[Int(text[start])] {
        guard start == place ? token.matching.contains(.singleWord) : token.bytes.count >= place - start else {
          continue
        }
        let known = min(token.bytes.count, count - start)
        if token.bytes[..<known].elementsEqual(UnsafeBufferPointer(start: text + start, count: known)) { return true }
      }
    }
    return false
  }

  /// Whether a part of a text contains a token that does not stay text.
  func occurs(in part: Range<Int>, _ text: UnsafePointer<UInt8>) -> Bool {
    part.contains { start in
      byFirst[Int(text[start])].contains {
        !$0.isText && matches($0, text + start, available: part.upperBound - start)
      }
    }
  }

  /// These tokens, and for each one that begins with `byte` also the token without it.
  func withEachAlsoWithout(first byte: UInt8) -> AddedTokens {
    let patterns = byFirst.joined().flatMap { token -> [Pattern] in
      guard token.bytes[0] == byte else { return [token] }
      let rest = Array(token.bytes.dropFirst())
      return [token, Pattern(bytes: rest, id: token.id, matching: token.matching, isText: token.isText)]
    }
    return AddedTokens(patterns, blanksAreWhite: blanksAreWhite)
  }

  /// Whether any token includes white space beside it.
  var strips: Bool {
    byFirst.contains { $0.contains { !$0.matching.isDisjoint(with: [.leftStrip, .rightStrip]) } }
  }
}
