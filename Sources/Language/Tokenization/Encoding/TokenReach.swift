/// Tells where text may be cut without a change in which added tokens are found.
struct TokenReach {
  private let search: TokenSearch
  /// The normalised tokens, and each without the blank that may have been put in before it.
  private let normalized: AddedTokens
  private let rules: TokenizationRules
  private let strips: Bool

  /// How far to the left of a window a scalar is looked for that composition leaves alone.
  private static let furthest = 1 << 12

  /// Of no tokens.
  init() {
    search = .none
    normalized = search.normalized
    rules = TokenizationRules()
    strips = false
  }

  init(_ tokenizer: Tokenizer) {
    search = tokenizer.search
    rules = tokenizer.vocabulary.rules
    strips = search.raw.strips || search.normalized.strips
    normalized =
      rules.blanksComeFirst ? search.normalized.withEachAlsoWithout(first: UInt8(ascii: " ")) : search.normalized
  }

  /// Whether no token lies across a place, ends there, or looks over it at white space or words.
  ///
  /// - Parameter text: valid UTF-8, of which more may follow; the place is between two scalars.
  func isClear(_ place: Int, _ text: UnsafePointer<UInt8>, count: Int) -> Bool {
    if search.isEmpty { return true }
    if strips, place > 0, CharacterClasses.shared.at(text + scalarStart(text, before: place)).class == .whiteSpace {
      return false
    }
    if search.raw.mayReach(place, text, count: count) { return false }
    if normalized.isEmpty { return true }
    guard rules.composes || rules.blanksComeFirst else { return !normalized.mayReach(place, text, count: count) }
    guard let window = window(around: place, text, count: count) else { return false }
    // Tokens between scalars keep them from being composed.
    if rules.composes, search.raw.occurs(in: window, text) { return false }
    var bytes = ByteBuffer(capacity: window.count)
    normalize(text, window.lowerBound..<place, to: &bytes)
    let middle = bytes.count
    normalize(text, place..<window.upperBound, to: &bytes)
    // Too little is known of what follows.
    if middle == bytes.count { return false }
    return !normalized.mayReach(middle, bytes.base, count: bytes.count)
  }

  /// What of a text decides, cut where normalising it alone comes to the same.
  private func window(around place: Int, _ text: UnsafePointer<UInt8>, count: Int) -> Range<Int>? {
    // No more than three bytes become one.
    let reach = 3 * normalized.longest
    var start = place
    while start > 0, place - start < reach || !isSettled(text + start) {
      start = scalarStart(text, before: start)
      if place - start > reach + Self.furthest { return nil }
    }
    var end = min(count, place + reach)
    while end > place, end < count, text[end] & 0xC0 == 0x80 { end -= 1 }
    // What follows may still change the scalars after the last one that it leaves alone.
    if rules.composes {
      repeat { end = end > place ? scalarStart(text, before: end) : place } while end > place && !isSettled(text + end)
    }
    return start..<end
  }

  private func isSettled(_ text: UnsafePointer<UInt8>) -> Bool {
    !rules.composes || Composition.shared.leavesAlone(scalar(text).code)
  }

  private func normalize(_ text: UnsafePointer<UInt8>, _ part: Range<Int>, to output: inout ByteBuffer) {
    let bytes = UnsafeBufferPointer(start: text + part.lowerBound, count: part.count)
    guard rules.composes else { return output.append(SentencePieceAlphabet.blanked(Array(bytes))[...]) }
    Composition.shared.append(bytes, to: &output)
  }
}
