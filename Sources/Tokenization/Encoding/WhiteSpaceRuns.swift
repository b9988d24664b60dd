/// The runs of white space in a text, counted so that its parts can be counted apart and joined.
///
/// The number of words that evaluation harnesses divide by is the number of pieces of Python's
/// `re.split(r'\s+', text)`: one more than there are runs, with an empty piece where the text begins or ends with white
/// space.
struct WhiteSpaceRuns: Equatable {
  private var count = 0
  private var beginsInside = false
  private var endsInside = false

  /// The number of words of a text that has these runs.
  var words: Int { count + 1 }

  /// No text.
  init() {}

  /// A text, or a part that begins and ends with whole scalars; valid UTF-8.
  init(_ text: UnsafePointer<UInt8>, count length: Int) {
    let classes = CharacterClasses.shared
    var inside = false
    var i = 0
    while i < length {
      let (kind, width) = classes.at(text + i)
      // The first byte of a longer sequence is none of the separators.
      let isSpace = kind.isPythonSpace(UInt32(text[i]))
      count += isSpace && !inside ? 1 : 0
      if i == 0 { beginsInside = isSpace }
      inside = isSpace
      i += width
    }
    endsInside = inside
  }

  /// Adds the part that follows. A run that goes on across the border counts once.
  mutating func append(_ next: WhiteSpaceRuns) {
    count += next.count - (endsInside && next.beginsInside ? 1 : 0)
    // Parts are not empty, so only what precedes the first part has no runs and no end.
    endsInside = next.endsInside
  }
}

extension CharacterClass {
  /// Python's `\s` and `str.isspace()`: Unicode's white space, and the four separators U+001C to U+001F.
  @inline(__always)
  fileprivate func isPythonSpace(_ code: UInt32) -> Bool { self == .whiteSpace || code &- 0x1C < 4 }
}

extension Unicode.Scalar {
  /// Whether Python takes it for white space.
  public var isPythonSpace: Bool { CharacterClasses.shared.of(value).isPythonSpace(value) }
}
