import Glibc

/// What bytes that are no UTF-8 probably are, so that a person is told what to do with them.
///
/// The first bytes show marks and the zeros of wide encodings. Otherwise every known encoding is tried on a sample, and
/// the text that comes out is judged by how much of it is what the languages of that encoding are written with.
public struct EncodingGuess: Equatable, Sendable {
  /// In words, as in `Windows-1252 or Latin-1`.
  public let name: String
  /// What `iconv -f` calls it.
  public let iconvName: String

  /// The end of a message about the bytes: what they probably are, and the command that converts them.
  public var advice: String { "it is probably \(name), which iconv -f \(iconvName) -t UTF-8 converts" }

  /// Less than this share of a text's letters and signs is what it should be: no guess is better.
  private static let least = 0.4

  /// - Parameters:
  ///   - beginning: the first bytes of the text; the more, the better wide encodings are told.
  ///   - sample: bytes of the text around places that are no UTF-8.
  /// - Returns: nil where nothing is plausible.
  public init?(beginning: some Collection<UInt8>, sample: some Collection<UInt8>) {
    let beginning = Array(beginning.prefix(1 << 16))
    if let wide = Self.wide(beginning) ?? Self.eastAsianWide(beginning) {
      self = wide
      return
    }
    let sample = Array(sample.prefix(1 << 14))
    var best: (score: Double, candidate: EncodingCandidate)?
    for candidate in EncodingCandidate.all {
      guard let text = Iconv.decode(sample, from: candidate.iconvName),
        let score = candidate.scripts.map({ $0.plausibility(of: text) }).max()
      else { continue }
      if score > max(best?.score ?? Self.least, Self.least) { best = (score, candidate) }
    }
    guard let best else { return nil }
    // The two differ in the bytes 0x80 to 0x9F alone.
    let isLatin1 = best.candidate.iconvName == "WINDOWS-1252" && !sample.contains { (0x80...0x9F).contains($0) }
    name = isLatin1 ? "ISO-8859-1 (Latin-1)" : best.candidate.name
    iconvName = isLatin1 ? "ISO-8859-1" : best.candidate.iconvName
  }

  private init(_ name: String, _ iconvName: String) { (self.name, self.iconvName) = (name, iconvName) }

  /// UTF-16 and UTF-32: by their marks, or by where zeros stand. Such text always has some ASCII, if only its line ends.
  static func wide(_ bytes: [UInt8]) -> EncodingGuess? {
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
    if zeros[3] >= quarter, zeros[2] >= quarter * 9 / 10 {
      guess = Self("UTF-32 LE", "UTF-32LE")
    } else if zeros[0] >= quarter, zeros[1] >= quarter * 9 / 10 {
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

  /// UTF-16 without a mark in which hardly anything is ASCII.
  private static func eastAsianWide(_ bytes: [UInt8]) -> EncodingGuess? {
    let guesses = [Self("UTF-16 LE", "UTF-16LE"), Self("UTF-16 BE", "UTF-16BE")]
    return guesses.first { guess in
      guard let text = Iconv.decode(bytes, from: guess.iconvName) else { return false }
      return WritingHabits.eastAsian.contains { $0.plausibility(of: text) > Self.least }
    }
  }

  /// Whether nearly all of it is letters, figures, signs and white space.
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

/// Decoding by the C library, which does it as the command `iconv` will.
enum Iconv {
  /// The text that bytes stand for, with U+FFFD for what they do not say; nil where that is more than one byte in a hundred,
  /// or where the C library does not know the encoding. The bytes may end inside a character.
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
