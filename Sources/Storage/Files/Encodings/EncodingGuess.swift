import CUchardet
import Glibc

/// The probable encoding of bytes that are not UTF-8, for messages with a remedy.
///
/// Marks and the zeros of wide encodings show in the first bytes; uchardet recognises the other encodings.
public struct EncodingGuess: Equatable, Sendable {
  /// In words, as in `UTF-16 LE`.
  public let name: String
  /// Its name for `iconv -f`.
  public let iconvName: String

  /// The end of a message about the bytes: the probable encoding, and the command that converts them.
  public var advice: String { "it is probably \(name), which iconv -f \(iconvName) -t UTF-8 converts" }

  /// - Parameters:
  ///   - beginning: the first bytes of the text; more bytes show wide encodings better.
  ///   - sample: bytes of the text around places that are not UTF-8.
  /// - Returns: nil where nothing is plausible.
  public init?(beginning: some Collection<UInt8>, sample: some Collection<UInt8>) {
    if let wide = Self.wide(Array(beginning.prefix(1 << 16))) {
      self = wide
      return
    }
    let sample = Array(sample.prefix(1 << 14))
    let western = Iconv.decode(sample, from: Self.western).flatMap { Self.isText($0) ? $0 : nil }
    // A few letters do not show the language, so the commonest encoding is the best guess.
    let odd = sample.count { $0 >= 0x80 }
    guard odd >= Self.fewest else {
      if odd == 0 || western == nil { return nil }
      self.init(Self.western, Self.western)
      return
    }
    guard let name = Self.nameByUchardet(sample), let text = Iconv.decode(sample, from: name), Self.isText(text) else {
      return nil
    }
    // Where related encodings agree on every letter of the text, uchardet picks one by chance.
    let likeliest = text == western ? Self.western : name
    self.init(likeliest, likeliest)
  }

  private static let western = "WINDOWS-1252"
  /// With fewer bytes beyond ASCII uchardet 0.0.7 took English words such as "à la carte" for Baltic and DOS encodings.
  private static let fewest = 8

  /// Nil if uchardet recognises nothing, or names UTF-8 or ASCII, which is known to be wrong.
  private static func nameByUchardet(_ bytes: [UInt8]) -> String? {
    guard let detector = uchardet_new() else { return nil }
    defer { uchardet_delete(detector) }
    let status = bytes.withUnsafeBytes { uchardet_handle_data(detector, $0.baseAddress, $0.count) }
    guard status == 0 else { return nil }
    uchardet_data_end(detector)
    let name = String(cString: uchardet_get_charset(detector))
    return ["", "UTF-8", "ASCII"].contains(name) ? nil : name
  }

  private init(_ name: String, _ iconvName: String) { (self.name, self.iconvName) = (name, iconvName) }

  /// UTF-16 and UTF-32, by their marks or by the places of zeros. Such text always has some ASCII, at least its line
  /// ends.
  package static func wide(_ bytes: [UInt8]) -> EncodingGuess? {
    if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
      return Self("UTF-32", "UTF-32")
    }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return Self("UTF-16", "UTF-16") }
    var zeros = [0, 0, 0, 0]
    for (index, byte) in bytes.enumerated() where byte == 0 { zeros[index & 3] += 1 }
    let (even, odd) = (zeros[0] + zeros[2], zeros[1] + zeros[3])
    guard bytes.count >= 4, (even + odd) * 100 >= bytes.count else { return nil }
    let quarter = bytes.count / 4
    let guess: EncodingGuess
    if zeros[3] >= quarter, zeros[2] * 10 >= quarter * 9 {
      guess = Self("UTF-32 LE", "UTF-32LE")
    } else if zeros[0] >= quarter, zeros[1] * 10 >= quarter * 9 {
      guess = Self("UTF-32 BE", "UTF-32BE")
    } else if odd > 10 * even {
      guess = Self("UTF-16 LE", "UTF-16LE")
    } else if even > 10 * odd {
      guess = Self("UTF-16 BE", "UTF-16BE")
    } else {
      return nil
    }
    guard let text = Iconv.decode(bytes, from: guess.iconvName), isText(text) else { return nil }
    return guess
  }

  /// Whether nearly all characters are letters, digits, punctuation and white space.
  private static func isText(_ text: [Unicode.Scalar]) -> Bool {
    let odd = text.count { scalar in
      switch scalar.properties.generalCategory {
      case .control: !(0x09...0x0D).contains(scalar.value)
      case .unassigned, .privateUse, .surrogate: true
      default: false
      }
    }
    return odd * 20 <= text.count
  }
}

/// Decoding by the C library, with the same result as the command `iconv`.
enum Iconv {
  /// The decoded text, with U+FFFD for invalid bytes. Nil where more than one byte in a hundred is invalid, or the C library
  /// does not know the encoding. The bytes may end inside a character.
  static func decode(_ bytes: [UInt8], from encoding: String) -> [Unicode.Scalar]? {
    guard let converter = iconv_open("UTF-32LE", encoding), Int(bitPattern: converter) != -1 else { return nil }
    defer { iconv_close(converter) }
    var input = bytes.map { CChar(bitPattern: $0) }
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(bytes.count)
    var faults = 0
    var output = [UInt32](repeating: 0, count: 1 << 12)
    let isDecoded = input.withUnsafeMutableBufferPointer { input in
      var next = input.baseAddress
      var left = input.count
      while left > 0 {
        var written = 0
        var code: Int32 = 0
        output.withUnsafeMutableBytes { room in
          var place = room.baseAddress?.assumingMemoryBound(to: CChar.self)
          var free = room.count
          if iconv(converter, &next, &left, &place, &free) == -1 { code = errno }
          written = (room.count - free) / 4
        }
        scalars += output[..<written].compactMap { Unicode.Scalar(UInt32(littleEndian: $0)) }
        switch code {
        case 0, E2BIG: continue
        case EINVAL: return true
        default:
          faults += 1
          guard faults * 100 <= bytes.count else { return false }
          scalars.append("\u{FFFD}")
          next = next.map { $0 + 1 }
          left -= 1
        }
      }
      return true
    }
    return isDecoded ? scalars : nil
  }
}
