/// Encodes valid UTF-8, one document or a part of one at a time. Each thread has an encoder of its own.
final class TextEncoder {
  private let rules: TokenizationRules
  private let pretokenizer: Pretokenizer
  private let words: WordEncoder
  private var cache: WordCache
  private let search: TokenSearch
  private var composed = ByteBuffer(capacity: 0)
  private var blanks = ByteBuffer(capacity: 0)

  /// - Parameters:
  ///   - specials: whether text that spells a special token becomes that token.
  ///   - count: the number of bytes of text to come, if small.
  init(_ tokenizer: Tokenizer, specials: Bool = false, forBytes count: Int = .max) {
    cache = WordCache(forBytes: count)
    rules = tokenizer.vocabulary.rules
    pretokenizer = Pretokenizer(rules)
    words = WordEncoder(tokenizer.merges)
    search = specials ? tokenizer.searchWithSpecials : tokenizer.search
  }

  /// The most ids that `encode` may write for a text: one for each byte of its composed form and each added blank, and
  /// a whole cache entry past the last.
  func room(forBytes count: Int) -> Int {
    (rules.composes ? 3 : 1) * (rules.prefix != .none && !search.isEmpty ? 2 : 1) * count + 9
  }

  /// Writes the ids of `text` to `output` and returns their number.
  ///
  /// - Parameters:
  ///   - text: followed by `ByteBuffer.padding` bytes that may be read.
  ///   - isStart: whether this is the beginning of a text, not a later part.
  func encode(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>, isStart: Bool = true
  ) -> Int {
    if rules.leavesTextAlone && search.isEmpty { return encodePieces(text, count: count, to: output) }
    return search.raw.split(text, count: count, to: output) { stretch, count, output in
      self.encodeStretch(
        stretch, count: count, to: output, place: stretch == text ? (isStart ? .start : .afterCut) : .afterToken)
    }
  }

  /// The place of a stretch of text.
  private enum Place {
    /// At the beginning of a text.
    case start
    /// After an added token.
    case afterToken
    /// After a cut inside a text.
    case afterCut
  }

  /// Encodes a stretch between added tokens: normalises it, and searches it for normalised tokens.
  private func encodeStretch(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>, place: Place
  ) -> Int {
    if rules.composes {
      composed.removeAll()
      Composition.shared.append(UnsafeBufferPointer(start: text, count: count), to: &composed)
      return encodeNormalised(composed.base, count: composed.count, to: output, place: place)
    }
    guard rules.blanksComeFirst, !search.normalized.isEmpty else {
      return encodeNormalised(text, count: count, to: output, place: place)
    }
    let (blanks, length) = blanked(text, count: count, place: place)
    return search.normalized.split(blanks, count: length, to: output) { stretch, count, output in
      self.encodePieces(stretch, count: count, to: output)
    }
  }

  /// Writes the ids of normalised tokens, and between them those of the other text with added blanks.
  private func encodeNormalised(
    _ text: UnsafePointer<UInt8>, count: Int, to output: UnsafeMutablePointer<UInt32>, place: Place
  ) -> Int {
    search.normalized.split(text, count: count, to: output) { stretch, count, output in
      let (blanks, length) = blanked(stretch, count: count, place: stretch == text ? place : .afterToken)
      return encodePieces(blanks, count: length, to: output)
    }
  }

  /// A stretch with the blank that the rules add before it; for SentencePiece also with a blank for each `▁` in the
  /// text. Valid until the next call.
  private func blanked(
    _ text: UnsafePointer<UInt8>, count: Int, place: Place
  ) -> (text: UnsafePointer<UInt8>, count: Int) {
    let isSentencePiece = rules.splitting == .sentencePiece
    guard isSentencePiece || rules.prefix != .none else { return (text, count) }
    let bytes = UnsafeBufferPointer(start: text, count: count)
    let blank = SentencePieceAlphabet.blank
    let startsBlank = bytes.first == UInt8(ascii: " ") || isSentencePiece && bytes.starts(with: blank)
    let isPrefixed =
      switch rules.prefix {
      case .none: false
      case .everywhere: place != .afterCut
      case .missing: place != .afterCut && !startsBlank
      case .missingAtStart: place == .start && !startsBlank
      }
    let hasBlanks = isSentencePiece && bytes.contains(blank[0]) && !bytes.ranges(of: blank).isEmpty
    guard isPrefixed || hasBlanks else { return (text, count) }
    blanks.removeAll()
    if isPrefixed { blanks.append([UInt8(ascii: " ")][...]) }
    if hasBlanks {
      blanks.append(SentencePieceAlphabet.blanked(Array(bytes))[...])
    } else {
      blanks.append(bytes)
    }
    return (UnsafePointer(blanks.base), blanks.count)
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
