/// Encodes valid UTF-8, one document or a part of one at a time. Each thread has its own.
final class TextEncoder {
  private let rules: TokenizationRules
  private let pretokenizer: Pretokenizer
  private let words: WordEncoder
  private var cache: WordCache
  /// Tokens that are looked for in the text as it comes, and in its composed form.
  private let added: AddedTokens
  private let addedComposed: AddedTokens
  private var composed = ByteBuffer(capacity: 0)
  private var blanked = ByteBuffer(capacity: 0)

  /// - Parameters:
  ///   - specials: whether text that spells a special token means it.
  ///   - count: how many bytes of text there will be, if not many.
  init(_ tokenizer: Tokenizer, specials: Bool = false, forBytes count: Int = .max) {
    cache = WordCache(forBytes: count)
    rules = tokenizer.vocabulary.rules
    pretokenizer = Pretokenizer(rules)
    words = WordEncoder(tokenizer.merges)
    added = specials ? tokenizer.addedAndSpecial : tokenizer.added
    addedComposed = tokenizer.addedComposed
  }

  /// How many ids `encode` may write for a text: one a byte of its composed form and of the blanks put in before it and
  /// between added tokens, and what a whole cache entry reaches past the last.
  func room(forBytes count: Int) -> Int {
    (rules.composes ? 3 : 1) * (rules.prefix != .none && !added.isEmpty ? 2 : 1) * count + 9
  }

  /// Writes the ids of `text` to `output` and returns how many there are.
  ///
  /// - Parameters:
  ///   - text: followed by `ByteBuffer.padding` bytes that may be read.
  ///   - isStart: whether this is where a text begins.
  func encode(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>, isStart: Bool = true
  ) -> Int {
    if rules.leavesTextAlone && added.isEmpty && addedComposed.isEmpty {
      return encodePieces(text, count: count, to: output)
    }
    return added.split(text, count: count, to: output) { stretch, count, output in
      self.encodeStretch(
        stretch, count: count, to: output, place: stretch == text ? (isStart ? .start : .going) : .after)
    }
  }

  /// Where a stretch of text stands.
  private enum Place {
    /// At the beginning of a text.
    case start
    /// After an added token.
    case after
    /// Where a part of a text goes on after a cut.
    case going
  }

  /// A stretch between added tokens.
  private func encodeStretch(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>, place: Place
  ) -> Int {
    guard rules.composes else {
      return addedComposed.split(text, count: count, to: output) { stretch, count, output in
        self.encodeBlanked(stretch, count: count, to: output, place: stretch == text ? place : .after)
      }
    }
    composed.removeAll()
    Composition.shared.append(UnsafeBufferPointer(start: text, count: count), to: &composed)
    return addedComposed.split(composed.base, count: composed.count, to: output) { stretch, count, output in
      self.encodePieces(stretch, count: count, to: output)
    }
  }

  /// Puts in the blanks that SentencePiece asks for; its blank in the text counts as one too.
  private func encodeBlanked(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>, place: Place
  ) -> Int {
    guard rules.splitting == .sentencePiece else { return encodePieces(text, count: count, to: output) }
    let bytes = UnsafeBufferPointer(start: text, count: count)
    let blank = SentencePieceAlphabet.blank
    let startsBlank = bytes.first == UInt8(ascii: " ") || bytes.starts(with: blank)
    let isPrefixed =
      switch rules.prefix {
      case .none: false
      case .everywhere: place != .going
      case .missing: place != .going && !startsBlank
      case .missingAtStart: place == .start && !startsBlank
      }
    let hasBlanks = bytes.contains(blank[0]) && !bytes.ranges(of: blank).isEmpty
    guard isPrefixed || hasBlanks else { return encodePieces(text, count: count, to: output) }
    blanked.removeAll()
    if isPrefixed { blanked.append([UInt8(ascii: " ")][...]) }
    if hasBlanks {
      blanked.append(Array(bytes).replacing(blank, with: CollectionOfOne(UInt8(ascii: " ")))[...])
    } else {
      blanked.append(bytes)
    }
    return encodePieces(blanked.base, count: blanked.count, to: output)
  }

  private func encodePieces(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>
  ) -> Int {
    var start = 0
    var written = 0
    while start < count {
      let end = pretokenizer.pieceEnd(text, from: start, end: count)
      written += encodeWord(text + start, count: end - start, to: output + written)
      start = end
    }
    return written
  }

  @inline(__always)
  private func encodeWord(_ word: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>) -> Int {
    guard count <= WordCache.longestWord else { return words.encode(word, count: count, to: output) }
    let key = WordCache.Key(word, length: count)
    let entry = cache.entry(for: key)
    if let known = cache.find(key, in: entry, to: output) { return known }
    let written = words.encode(word, count: count, to: output)
    cache.store(key, in: entry, output, count: written)
    return written
  }
}
