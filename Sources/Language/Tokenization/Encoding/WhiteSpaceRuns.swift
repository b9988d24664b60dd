/// The number of runs of white space in a text. Parts of a text can be counted separately and joined.
///
/// Evaluation harnesses divide by the number of words, which is the number of pieces of Python's `re.split(r'\s+',
/// text)`: one more than the runs, with an empty piece if the text begins or ends with white space.
struct WhiteSpaceRuns: Equatable {
  private var count = 0
  private var beginsInside = false
  private var endsInside = false

  /// The number of words of a text that has these runs.
  var words: Int { count + 1 }

  /// The runs of an empty text.
  init() {}

  /// The runs of a text, or of a part between two scalars; valid UTF-8.
  init(_ text: UnsafePointer<UInt8>, count length: Int) {
    guard length > 0 else { return }
    let classes = CharacterClasses.shared
    // The first byte of a longer sequence is not one of the separators.
    beginsInside = classes.at(text).class.isPythonSpace(UInt32(text[0]))
    var i = 0
    while i < length {
      if length - i >= 8, let spaces = Self.asciiSpaces(UnsafeRawPointer(text + i).loadUnaligned(as: UInt64.self)) {
        let beginnings = spaces & ~(spaces &<< 8 | (endsInside ? 0x80 : 0))
        // Adds up the bytes, each 0 or 1.
        count += Int((beginnings &>> 7 &* Self.ones) &>> 56)
        endsInside = spaces &>> 63 != 0
        i += 8
      } else {
        let (kind, width) = classes.at(text + i)
        let isSpace = kind.isPythonSpace(UInt32(text[i]))
        count += isSpace && !endsInside ? 1 : 0
        endsInside = isSpace
        i += width
      }
    }
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// For eight ASCII characters, the first in the lowest byte: 0x80 in the byte of each that is white space to Python
  /// (U+0009 to U+000D, U+001C to U+0020). Nil if one is not ASCII. Adding `128 - n` sets the highest bit of bytes from
  /// n on.
  @inline(__always)
  private static func asciiSpaces(_ characters: UInt64) -> UInt64? {
    guard characters & (0x80 &* ones) == 0 else { return nil }
    let controls = (characters &+ (128 - 0x09) &* ones) & ~(characters &+ (128 - 0x0E) &* ones)
    let separators = (characters &+ (128 - 0x1C) &* ones) & ~(characters &+ (128 - 0x21) &* ones)
    return (controls | separators) & (0x80 &* ones)
  }

  /// Adds the next part of the text. A run across the border counts once.
  mutating func append(_ next: WhiteSpaceRuns) {
    count += next.count - (endsInside && next.beginsInside ? 1 : 0)
    // Parts are not empty, so only the empty text before the first part has no end.
    endsInside = next.endsInside
  }
}

extension CharacterClass {
  /// Python's `\s` and `str.isspace()`: Unicode's white space, and the four separators U+001C to U+001F.
  @inline(__always)
  fileprivate func isPythonSpace(_ code: UInt32) -> Bool { self == .whiteSpace || code &- 0x1C < 4 }
}

extension Unicode.Scalar {
  /// Whether the scalar is white space to Python.
  public var isPythonSpace: Bool { CharacterClasses.shared.of(value).isPythonSpace(value) }
}
