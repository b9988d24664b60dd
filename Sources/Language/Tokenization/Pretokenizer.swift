/// Splits text into pieces; tokens merge only inside a piece. The text must be valid UTF-8; every byte belongs to
/// exactly one piece.
///
/// The rules are published as regular expressions, and written here as scanners. The others vary GPT-2's:
///
///     '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct Pretokenizer: Sendable {
  let splitting: TokenizationRules.Splitting
  let classes = CharacterClasses.shared

  private let composes: Bool

  init(_ rules: TokenizationRules = TokenizationRules()) {
    splitting = rules.splitting
    composes = rules.composes
  }

  /// The end of the piece that starts at `start`, for `start < end`.
  @inline(__always)
  func pieceEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    switch splitting {
    case .gpt2: gpt2(text, from: start, end: end)
    case .gpt2Digits: gpt2Digits(text, from: start, end: end)
    case .cl100k, .llama3: words(text, from: start, end: end, digits: 3)
    case .qwen2, .qwen35: words(text, from: start, end: end, digits: 1)
    case .o200k: casedWords(text, from: start, end: end)
    case .llamaDefault: llamaDefault(text, from: start, end: end)
    case .sentencePiece: blankedWord(text, from: start, end: end)
    }
  }

  @inline(__always)
  private func gpt2(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
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

  /// Each digit is a piece, and a piece of other text ends before it.
  private func gpt2Digits(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    let (kind, length) = classes.at(text + start)
    if kind == .number { return start + length }
    if kind == .whiteSpace {
      let run = runEnd(text, from: start + length, end: end, of: .whiteSpace)
      if run < end, classes.at(text + run).class == .number { return run }
    }
    return gpt2(text, from: start, end: end)
  }

  /// The end of the run of scalars of one class that reaches `start`.
  @inline(__always)
  func runEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int, of kind: CharacterClass) -> Int {
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

  /// `\s+(?!\S)|\s+`: a run of white space at the end of the text; before other text, the run without its last scalar,
  /// or a single scalar.
  func whiteSpaceEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
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

  /// ` *[^ ]*`: the merges of these vocabularies never join a blank to the token before it, so words with the blanks
  /// before them can be encoded one by one.
  private func blankedWord(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    var i = start
    while i < end && text[i] == UInt8(ascii: " ") { i += 1 }
    while i < end && text[i] != UInt8(ascii: " ") { i += 1 }
    return i
  }
}

extension Pretokenizer {
  /// The last place in `lowest...count` at which the text may be cut: both parts, encoded separately, give the tokens
  /// of the whole. Nil if there is none.
  ///
  /// No rule looks back, and only `\s+(?!\S)` looks ahead, after white space. So every piece boundary is safe that does
  /// not end white space. The classes on both sides of a place show whether it is such a boundary.
  ///
  /// - Parameter isWhole: whether no added token lies across a place.
  func lastSafeCut(
    _ text: UnsafePointer<UInt8>, count: Int, lowest: Int, isWhole: (Int) -> Bool = { _ in true }
  ) -> Int? {
    guard count > 0, lowest < count else { return nil }
    var cut = scalarStart(text, before: count)
    var after = classes.at(text + cut).class
    while cut > 0, cut >= lowest {
      let start = scalarStart(text, before: cut)
      let before = classes.at(text + start).class
      if isSafe(before, after, last: text + start, first: text[cut]), isWhole(cut) { return cut }
      cut = start
      after = before
    }
    return nil
  }

  private func isSafe(
    _ before: CharacterClass, _ after: CharacterClass, last: UnsafePointer<UInt8>, first: UInt8
  ) -> Bool {
    switch splitting {
    case .gpt2 where !composes, .llamaDefault:
      // Letters and numbers end with their class, others before a number or white space. Before a letter, a contraction
      // may lie across the place.
      switch before {
      case .letter, .number: after != before
      case .other: after == .number || after == .whiteSpace
      case .whiteSpace, .multibyte: false
      }
    case .sentencePiece:
      // U+2581 in the text counts as a blank.
      first == UInt8(ascii: " ") && last[0] != UInt8(ascii: " ") && scalar(last).code != 0x2581
    case .gpt2, .gpt2Digits, .cl100k, .llama3, .qwen2, .qwen35, .o200k:
      // Marks may join the letter before them, and line breaks the signs before them.
      switch before {
      case .letter: after == .number || after == .whiteSpace
      case .number: after == .letter || after == .whiteSpace
      case .other: after == .number
      case .whiteSpace, .multibyte: false
      }
    }
  }
}
