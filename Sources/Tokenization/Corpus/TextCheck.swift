/// Tells text from what is none by its first bytes: pictures, programs, and text in other encodings than UTF-8.
///
/// A few odd bytes are nothing unusual in large texts and become U+FFFD; where a tenth is odd, the result would be
/// rubbish that nobody asked for.
enum TextCheck {
  /// Fewer odd bytes than this are let pass even in the shortest text.
  private static let fewest = 16

  /// What is wrong with a text that begins with these bytes; nil if nothing is. The bytes may end inside a character.
  static func problem(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
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
    return "is no text in UTF-8: \(odd) of its first \(bytes.count) bytes are not\(hint(bytes))"
  }

  /// Control characters that no text has.
  private static func isOdd(_ encoded: Unicode.UTF8.EncodedScalar) -> Bool {
    guard encoded.count == 1, let byte = encoded.first, byte < 0x20 else { return false }
    return !(0x09...0x0D).contains(byte) && byte != 0x1B
  }

  private static func hint(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    let isUTF16 = bytes.count > 1 && [[0xFF, 0xFE], [0xFE, 0xFF]].contains([bytes[0], bytes[1]])
    return isUTF16 ? "; it looks like UTF-16, which iconv -f UTF-16 -t UTF-8 converts" : ""
  }
}
