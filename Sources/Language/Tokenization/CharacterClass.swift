/// The character classes of GPT-2's splitting rule: `\p{L}`, `\p{N}`, `\s` and all others.
enum CharacterClass: UInt8 {
  case other = 0
  case letter = 1
  case number = 2
  case whiteSpace = 3
  /// Not a class: the first byte of a longer sequence, whose class depends on all its bytes.
  case multibyte = 4
}

/// The class of each scalar, in two tables that fit a processor's first-level cache.
///
/// The classes are those of Unicode 16.0, as in `tiktoken` and `tokenizers`, and do not depend on Swift's library: a
/// vocabulary must always split the same text in the same way.
struct CharacterClasses: @unchecked Sendable {
  static let shared = CharacterClasses()

  /// The class of each single-byte sequence; `.multibyte` for bytes from 0x80 on.
  let ofByte: UnsafePointer<CharacterClass>
  /// For each 256 code points, the number of their block in `classes`.
  private let blockNumber: UnsafePointer<UInt16>
  private let classes: UnsafePointer<CharacterClass>

  private init() {
    let flat = Self.flatTable()
    var blocks: [ArraySlice<CharacterClass>] = []
    var known: [[UInt8]: Int] = [:]
    var offsets: [UInt16] = []
    for start in stride(from: 0, to: flat.count, by: 256) {
      let block = flat[start..<start + 256]
      let key = block.map(\.rawValue)
      if known[key] == nil {
        known[key] = blocks.count
        blocks.append(block)
      }
      offsets.append(UInt16(known[key]!))
    }
    blockNumber = Self.permanent(offsets)
    classes = Self.permanent(blocks.flatMap { $0 })
    ofByte = Self.permanent((0..<256).map { $0 < 0x80 ? flat[$0] : .multibyte })
  }

  private static func flatTable() -> [CharacterClass] {
    flatTable(
      [
        (CharacterClassRanges.letters, .letter), (CharacterClassRanges.numbers, .number),
        (CharacterClassRanges.whiteSpace, .whiteSpace),
      ], elsewhere: .other)
  }

  /// The value of each scalar; where ranges overlap, the last counts.
  fileprivate static func flatTable<Value>(_ values: [([UInt32], Value)], elsewhere: Value) -> [Value] {
    var flat = [Value](repeating: elsewhere, count: 0x11_0000)
    for (ranges, value) in values {
      for pair in stride(from: 0, to: ranges.count, by: 2) {
        for code in ranges[pair]...ranges[pair + 1] { flat[Int(code)] = value }
      }
    }
    return flat
  }

  /// Copies a table to memory that is never freed, so that inner loops read it without counting references.
  private static func permanent<Element>(_ array: [Element]) -> UnsafePointer<Element> {
    let memory = UnsafeMutablePointer<Element>.allocate(capacity: array.count)
    memory.initialize(from: array, count: array.count)
    return UnsafePointer(memory)
  }

  @inline(__always)
  func of(_ code: UInt32) -> CharacterClass {
    classes[Int(blockNumber[Int(code >> 8)]) << 8 | Int(code & 0xFF)]
  }

  /// The class of the scalar that starts at `bytes[0]` and its length in bytes; the bytes are valid UTF-8.
  @inline(__always)
  func at(_ bytes: UnsafePointer<UInt8>) -> (class: CharacterClass, length: Int) {
    let single = ofByte[Int(bytes[0])]
    return single == .multibyte ? sequence(bytes) : (single, 1)
  }

  /// The class and length of a sequence of two to four bytes.
  @inline(__always)
  func sequence(_ bytes: UnsafePointer<UInt8>) -> (class: CharacterClass, length: Int) {
    let first = UInt32(bytes[0])
    let second = UInt32(bytes[1] & 0x3F)
    if first < 0xE0 { return (of((first & 0x1F) << 6 | second), 2) }
    let third = UInt32(bytes[2] & 0x3F)
    if first < 0xF0 { return (of((first & 0x0F) << 12 | second << 6 | third), 3) }
    return (of((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(bytes[3] & 0x3F)), 4)
  }
}

/// Word characters, for added tokens with `singleWord`.
enum WordCharacters {
  /// `\w`. Searches the ranges without a table, because few vocabularies have such tokens.
  static func contains(_ code: UInt32) -> Bool {
    let ranges = CharacterClassRanges.words
    // Binary search for the number of ranges that begin at or before the scalar.
    var (low, high) = (0, ranges.count / 2)
    while low < high {
      let middle = (low + high) / 2
      if ranges[2 * middle] <= code { low = middle + 1 } else { high = middle }
    }
    return low > 0 && code <= ranges[2 * low - 1]
  }
}

/// The roles of a scalar in rules that distinguish capitals.
struct LetterCase: OptionSet {
  let rawValue: UInt8

  /// `\p{Lu}`, `\p{Lt}`, `\p{Lm}`, `\p{Lo}`, `\p{M}`
  static let upper = LetterCase(rawValue: 1)
  /// `\p{Ll}`, `\p{Lm}`, `\p{Lo}`, `\p{M}`
  static let lower = LetterCase(rawValue: 2)
  /// `\p{M}`
  static let mark = LetterCase(rawValue: 4)
  /// `[\p{P}$+<=>^~|]`: not a case, but used by a rule of the same kind.
  static let sign = LetterCase(rawValue: 8)

  /// By scalar. Built on first use, because most vocabularies do not need it.
  static let table: [LetterCase] = {
    let values: [([UInt32], LetterCase)] = [
      (CharacterClassRanges.letters, [.upper, .lower]), (CharacterClassRanges.marks, [.upper, .lower, .mark]),
      (CharacterClassRanges.upperCase, .upper), (CharacterClassRanges.lowerCase, .lower),
      (CharacterClassRanges.punctuation, .sign), ("$+<=>^~|".utf8.flatMap { [UInt32($0), UInt32($0)] }, .sign),
    ]
    return CharacterClasses.flatTable(values, elsewhere: [])
  }()
}
