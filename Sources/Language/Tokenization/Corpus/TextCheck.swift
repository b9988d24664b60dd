import Files

/// Tells text from what is none: pictures, programs, and text in other encodings than UTF-8.
///
/// A few odd bytes are nothing unusual in large texts and become U+FFFD, which is said. Where a tenth of the first bytes
/// is odd, the result would be rubbish that nobody asked for; where one in a thousand of all bytes is, a letter of every
/// few lines would be lost.
enum TextCheck {
  /// Fewer odd bytes than this are let pass even in the shortest beginning.
  private static let fewest = 16
  /// As many invalid bytes are let pass in a whole text, however short.
  private static let mostInAny = 3

  /// What is wrong with a text that begins with these bytes; nil if nothing is. The bytes may end inside a character.
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
    return "is no text in UTF-8: \(odd) of its first \(bytes.count) bytes are not\(hint(tally, Array(bytes)))"
  }

  /// What is wrong with a text of which so much was read; nil if nothing is.
  ///
  /// - Parameter size: of the whole text, at least what was read.
  static func problem(_ tally: UTF8Tally, ofSize size: Int) -> String? {
    guard tally.invalid > mostInAny, tally.invalid > size / 1000 else { return nil }
    let bytes = size > tally.bytes ? "first \(tally.bytes) bytes" : "\(tally.bytes) bytes"
    return "is no text in UTF-8: \(tally.invalid) of its \(bytes) are not\(hint(tally, tally.beginning))"
  }

  /// What the bytes that are no UTF-8 probably are.
  static func guess(_ tally: UTF8Tally) -> EncodingGuess? {
    EncodingGuess(beginning: tally.beginning, sample: tally.sample)
  }

  /// Control characters that no text has.
  private static func isOdd(_ encoded: Unicode.UTF8.EncodedScalar) -> Bool {
    guard encoded.count == 1, let byte = encoded.first, byte < 0x20 else { return false }
    return !(0x09...0x0D).contains(byte) && byte != 0x1B
  }

  private static func hint(_ tally: UTF8Tally, _ beginning: [UInt8]) -> String {
    if let advice = FileMark.advice(beginning) { return "; \(advice)" }
    if tally.wellFormedNearby > tally.replacements {
      return
        "; most letters beyond ASCII around those are UTF-8, so it was damaged or pieced together from several encodings"
    }
    return EncodingGuess(beginning: beginning, sample: tally.sample).map { "; \($0.advice)" } ?? ""
  }
}
