/// GPT-2's rule that splits text into the pieces inside which bytes may merge:
///
///     '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// written out as a scanner. The text must be valid UTF-8. Every byte belongs to exactly one piece.
struct Pretokenizer: Sendable {
  private let classes = CharacterClasses.shared

  /// The end of the piece that starts at `start`, for `start < end`.
  @inline(__always)
  func pieceEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    let first = text[start]
    if first == UInt8(ascii: " ") {
      guard start + 1 < end else { return end }
      let next = classes.at(text + start + 1)
      if next.class == .whiteSpace { return whiteSpaceEnd(text, from: start, end: end) }
      return runEnd(text, from: start + 1 + next.length, end: end, of: next.class)
    }
    if first == UInt8(ascii: "'") {
      let length = contractionLength(text + start, available: end - start)
      if length > 0 { return start + length }
    }
    let (kind, length) = classes.at(text + start)
    if kind == .whiteSpace { return whiteSpaceEnd(text, from: start, end: end) }
    return runEnd(text, from: start + length, end: end, of: kind)
  }

  /// Where the run of scalars of one class that reaches to `start` ends.
  @inline(__always)
  private func runEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int, of kind: CharacterClass) -> Int {
    var i = start
    while i < end {
      let single = classes.ofByte[Int(text[i])]
      if single == kind {
        i += 1
      } else if single == .multibyte {
        let (other, length) = classes.sequence(text + i)
        if other != kind { return i }
        i += length
      } else {
        return i
      }
    }
    return i
  }

  /// `\s+(?!\S)|\s+`: white space up to the end of the text, or all but the last scalar of a run before something
  /// else, or that one scalar alone.
  private func whiteSpaceEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    var last = start
    var i = start
    while i < end {
      let (kind, length) = classes.at(text + i)
      if kind != .whiteSpace { return last > start ? last : i }
      last = i
      i += length
    }
    return end
  }

  /// The length of `'s`, `'d`, `'m`, `'t`, `'ll`, `'ve` or `'re` at an apostrophe, or 0.
  private func contractionLength(_ text: UnsafePointer<UInt8>, available: Int) -> Int {
    guard available >= 2 else { return 0 }
    switch text[1] {
    case UInt8(ascii: "s"), UInt8(ascii: "d"), UInt8(ascii: "m"), UInt8(ascii: "t"): return 2
    case UInt8(ascii: "l"): return available >= 3 && text[2] == UInt8(ascii: "l") ? 3 : 0
    case UInt8(ascii: "v"), UInt8(ascii: "r"): return available >= 3 && text[2] == UInt8(ascii: "e") ? 3 : 0
    default: return 0
    }
  }
}

extension Pretokenizer {
  /// The last place in `lowest...count` where the text may be cut so that both parts, split on their own, give the
  /// same pieces as the whole; nil where there is none.
  ///
  /// Nothing in the rule looks back, and only `\s+(?!\S)` looks ahead, at what follows white space. So every piece
  /// boundary will do at which no white space ends, and whether a place is one shows in the classes at its two sides:
  /// letters and numbers end where their class does, the others where a number or white space begins (before a letter
  /// a contraction may straddle the place).
  func lastSafeCut(_ text: UnsafePointer<UInt8>, count: Int, lowest: Int) -> Int? {
    guard count > 0, lowest < count else { return nil }
    var cut = scalarStart(text, before: count)
    var after = classes.at(text + cut).class
    while cut > 0, cut >= lowest {
      let start = scalarStart(text, before: cut)
      let before = classes.at(text + start).class
      if Self.isSafe(before, after) { return cut }
      cut = start
      after = before
    }
    return nil
  }

  private static func isSafe(_ before: CharacterClass, _ after: CharacterClass) -> Bool {
    switch before {
    case .letter, .number: after != before
    case .other: after == .number || after == .whiteSpace
    case .whiteSpace, .multibyte: false
    }
  }

  private func scalarStart(_ text: UnsafePointer<UInt8>, before end: Int) -> Int {
    var i = end - 1
    while i > 0 && text[i] & 0xC0 == 0x80 { i -= 1 }
    return i
  }
}
