import Files

/// Distinguishes text from other files: pictures, programs, and text in other encodings than UTF-8.
///
/// A few invalid bytes are common in large texts; they become U+FFFD, with a warning. A file is refused if more than a
/// tenth of its first bytes are odd (invalid UTF-8, or control characters that no text has), or if more than one in a
/// thousand of all bytes is invalid: then a letter in every few lines would be lost.
enum TextCheck {
  /// A beginning with fewer odd bytes than this is accepted, however short.
  private static let fewest = 16
  /// A text with at most this many invalid bytes is accepted, however short.
  private static let mostInAny = 3

  /// The fault of a text that begins with these bytes; nil without one. The bytes may end inside a character.
  static func problem(ofBeginning bytes: UnsafeBufferPointer<UInt8>) -> String? {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var odd = 0
    scan: while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let encoded): if isOdd(encoded) { odd += 1 }
      case .error(let length): odd += length
      case .emptyInput: break scan
      }
    }
    guard odd >= fewest, odd > bytes.count / 10 else { return nil }
    var tally = UTF8Tally()
    tally.add(bytes)
    return "is not UTF-8 text: \(odd) of its first \(bytes.count) bytes are not\(hint(tally, Array(bytes)))"
  }

  /// The fault of a text, by the part that was read; nil without one.
  ///
  /// - Parameter size: of the whole text in bytes, at least the number that was read.
  static func problem(_ tally: UTF8Tally, ofSize size: Int) -> String? {
    guard tally.invalid > mostInAny, tally.invalid > size / 1000 else { return nil }
    let bytes = size > tally.bytes ? "first \(tally.bytes) bytes" : "\(tally.bytes) bytes"
    return "is not UTF-8 text: \(tally.invalid) of its \(bytes) are not\(hint(tally, tally.beginning))"
  }

  /// The likely encoding of the invalid bytes.
  static func guess(_ tally: UTF8Tally) -> EncodingGuess? {
    EncodingGuess(beginning: tally.beginning, sample: tally.sample)
  }

  /// Whether a scalar is a control character that no text has.
  private static func isOdd(_ encoded: Unicode.UTF8.EncodedScalar) -> Bool {
    guard encoded.count == 1, let byte = encoded.first, byte < 0x20 else { return false }
    return !(0x09...0x0D).contains(byte) && byte != 0x1B
  }

  private static func hint(_ tally: UTF8Tally, _ beginning: [UInt8]) -> String {
    if let advice = FileMark.advice(beginning) { return "; \(advice)" }
    if tally.wellFormedNearby > tally.replacements {
      return
        "; most letters beyond ASCII around them are UTF-8, so it was damaged or pieced together from several encodings"
    }
    return EncodingGuess(beginning: beginning, sample: tally.sample).map { "; \($0.advice)" } ?? ""
  }
}
