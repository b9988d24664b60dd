/// GPT-2's printable stand-in for every byte: vocabulary files are text and spell a token with one character a byte.
///
/// The 188 bytes that are printable in Latin-1 stand for themselves; the others follow from U+0100 on, in order.
enum ByteAlphabet {
  /// The bytes in the order of their characters, which is also that of the first ids of every trained vocabulary.
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

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

  /// How a vocabulary file spells a token.
  static func spelling(of token: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in token { text.append(characters[Int(byte)]) }
    return String(text)
  }

  /// The bytes that a spelling stands for, or nil where it has a character that stands for none.
  static func bytes(spelledBy text: String) -> [UInt8]? {
    var token: [UInt8] = []
    token.reserveCapacity(text.unicodeScalars.count)
    for character in text.unicodeScalars {
      guard let byte = bytes[character] else { return nil }
      token.append(byte)
    }
    return token
  }
}
