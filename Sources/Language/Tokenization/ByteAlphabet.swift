/// GPT-2's printable character for every byte. Vocabulary files are text, and spell a token with one character a byte.
///
/// The 188 bytes that are printable in Latin-1 are their own characters; the others have U+0100 and following, in
/// order.
enum ByteAlphabet {
  /// The bytes in the order of their characters, which is also the order of the first ids in every trained vocabulary.
  static let order: [UInt8] = {
    let printable = [UInt8](0x21...0x7E) + (0xA1...0xAC) + (0xAE...0xFF)
    return printable + (0...255).filter { !printable.contains($0) }
  }()

  private static let characters: [Unicode.Scalar] = {
    var characters = [Unicode.Scalar](repeating: "\0", count: 256)
    for (index, byte) in order.enumerated() {
      characters[Int(byte)] = index < 188 ? Unicode.Scalar(byte) : Unicode.Scalar(UInt16(0x100 + index - 188))!
    }
    return characters
  }()

  /// The byte of each character, by its number.
  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: Int(characters.max()!.value) + 1)
    for (byte, character) in characters.enumerated() { bytes[Int(character.value)] = UInt8(byte) }
    return bytes
  }()

  /// The spelling of a token in a vocabulary file.
  static func spelling(of token: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in token { text.append(characters[Int(byte)]) }
    return String(text)
  }

  /// The bytes of a spelling; nil if one of its characters is not in the alphabet.
  static func bytes(spelledBy text: String) -> [UInt8]? {
    var token: [UInt8] = []
    token.reserveCapacity(text.utf8.count)
    for character in text.unicodeScalars {
      guard character.value < bytes.count, let byte = bytes[Int(character.value)] else { return nil }
      token.append(byte)
    }
    return token
  }
}
