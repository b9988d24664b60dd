/// Finds places at which text may be cut without changing the added tokens that are found.
struct TokenReach {
  private let search: TokenSearch
  /// The normalised tokens, and each also without the blank that normalisation may have added before it.
  private let normalized: AddedTokens
  private let rules: TokenizationRules
  private let strips: Bool

  /// How many bytes to the left of a window are searched for a scalar that composition leaves alone.
  private static let furthest = 1 << 12

  /// Without tokens.
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

  /// Whether no token lies across a place, ends there, or depends on white space or word characters across it.
  ///
  /// - Parameter text: valid UTF-8; more may follow. The place is between two scalars.
  func isClear(_ place: Int, _ text: UnsafePointer<UInt8>, count: Int) -> Bool {
    if search.isEmpty { return true }
    if strips, place > 0, CharacterClasses.shared.at(text + scalarStart(text, before: place)).class == .whiteSpace {
      return false
    }
    if search.raw.mayReach(place, text, count: count) { return false }
    if normalized.isEmpty { return true }
    guard rules.composes || rules.blanksComeFirst else { return !normalized.mayReach(place, text, count: count) }
    guard let window = window(around: place, text, count: count) else { return false }
    // A token between two scalars prevents their composition.
    if rules.composes, search.raw.occurs(in: window, text) { return false }
    var bytes = ByteBuffer(capacity: window.count)
    normalise(text, window.lowerBound..<place, to: &bytes)
    let middle = bytes.count
    normalise(text, place..<window.upperBound, to: &bytes)
    // The text after the place is not known well enough.
    if middle == bytes.count { return false }
    return !normalized.mayReach(middle, bytes.base, count: bytes.count)
  }

  /// The part of a text that decides, cut at places where it can be normalised separately.
  private func window(around place: Int, _ text: UnsafePointer<UInt8>, count: Int) -> Range<Int>? {
    // Normalisation makes one byte of at most three.
    let reach = 3 * normalized.longest
    var start = place
    while start > 0, place - start < reach || !isSettled(text + start) {
      start = scalarStart(text, before: start)
      if place - start > reach + Self.furthest { return nil }
    }
    var end = min(count, place + reach)
    while end > place, end < count, text[end] & 0xC0 == 0x80 { end -= 1 }
    // Later text may change the scalars from the last settled one on.
    if rules.composes {
      repeat { end = end > place ? scalarStart(text, before: end) : place } while end > place && !isSettled(text + end)
    }
    return start..<end
  }

  private func isSettled(_ text: UnsafePointer<UInt8>) -> Bool {
    !rules.composes || Composition.shared.leavesAlone(scalar(text).code)
  }

  private func normalise(_ text: UnsafePointer<UInt8>, _ part: Range<Int>, to output: inout ByteBuffer) {
    let bytes = UnsafeBufferPointer(start: text + part.lowerBound, count: part.count)
    guard rules.composes else { return output.append(SentencePieceAlphabet.blanked(Array(bytes))[...]) }
    Composition.shared.append(bytes, to: &output)
  }
}
