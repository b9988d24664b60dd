/// The runs of white space in a text, counted so that its parts can be counted apart and joined.
///
/// The number of words that evaluation harnesses divide by is the number of pieces of Python's `re.split(r'\s+', text)`:
/// one more than there are runs, with an empty piece where the text begins or ends with white space. Python's `\s` is
/// Unicode's white space and U+001C to U+001F.
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
      let isSpace: Bool
      let width: Int
      if text[i] < 0x80 {
        isSpace = text[i] == 0x20 || text[i] &- 0x09 < 5 || text[i] &- 0x1C < 4
        width = 1
      } else {
        let kind: CharacterClass
        (kind, width) = classes.sequence(text + i)
        isSpace = kind == .whiteSpace
      }
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
