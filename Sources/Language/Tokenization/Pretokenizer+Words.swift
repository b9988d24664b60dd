/// The rules that came after GPT-2's. They share
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
extension Pretokenizer {
  /// - Parameter digits: the most digits in one piece.
  func words(_ text: UnsafePointer<UInt8>, from start: Int, end: Int, digits: Int) -> Int {
    if text[start] == UInt8(ascii: "'") {
      let length = looseContractionLength(text + start, available: end - start)
      if length > 0 { return start + length }
    }
    let (kind, length) = wordClass(text + start)
    let rest = start + length
    switch kind {
    case .letter: return wordEnd(text, from: rest, end: end)
    case .number: return digitsEnd(text, from: rest, end: end, more: digits - 1)
    default:
      // One scalar other than a line break joins the word after it.
      if !isLineBreak(text[start]), rest < end, wordClass(text + rest).class == .letter {
        return wordEnd(text, from: rest, end: end)
      }
      return signsOrBlanks(text, from: start, end: end, kind)
    }
  }

  /// Words that end where capitals begin:
  ///
  ///     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|...)?|
  ///     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|...)?|
  ///     \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
  func casedWords(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    let (kind, length) = classes.at(text + start)
    if kind == .number { return digitsEnd(text, from: start + length, end: end, more: 2) }
    // With the scalar before the word, if it may join the word, and without it.
    let beginnings = kind != .letter && !isLineBreak(text[start]) ? [start + length, start] : [start]
    let word =
      beginnings.lazy.compactMap { lowerWordEnd(text, from: $0, end: end) }.first
      ?? beginnings.lazy.compactMap { upperWordEnd(text, from: $0, end: end) }.first
    guard let word else { return signsOrBlanks(text, from: start, end: end, kind) }
    guard word < end, text[word] == UInt8(ascii: "'") else { return word }
    return word + looseContractionLength(text + word, available: end - word)
  }

  /// Capitals, then at least one scalar that may be lower case.
  private func lowerWordEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int? {
    var i = start
    // The end after the last capital that may also be lower case: the match after backtracking.
    var afterBoth: Int?
    while i < end {
      let (letter, length) = letterCase(text + i)
      guard letter.contains(.upper) else { break }
      i += length
      if letter.contains(.lower) { afterBoth = i }
    }
    let small = caseRunEnd(text, from: i, end: end, .lower)
    return small > i ? small : afterBoth
  }

  /// At least one capital, then scalars that may be lower case.
  private func upperWordEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int? {
    let capitals = caseRunEnd(text, from: start, end: end, .upper)
    return capitals > start ? caseRunEnd(text, from: capitals, end: end, .lower) : nil
  }

  private func caseRunEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int, _ wanted: LetterCase) -> Int {
    var i = start
    while i < end {
      let (letter, length) = letterCase(text + i)
      guard letter.contains(wanted) else { return i }
      i += length
    }
    return i
  }

  private func letterCase(_ text: UnsafePointer<UInt8>) -> (LetterCase, length: Int) {
    let (code, length) = scalar(text)
    return (LetterCase.table[Int(code)], length)
  }

  /// The class of a scalar; in rules that count marks as letters, a mark is a letter.
  private func wordClass(_ text: UnsafePointer<UInt8>) -> (class: CharacterClass, length: Int) {
    let found = classes.at(text)
    guard splitting == .qwen35, found.class == .other, text[0] >= 0x80 else { return found }
    return letterCase(text).0.contains(.mark) ? (.letter, found.length) : found
  }

  private func wordEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    guard splitting == .qwen35 else { return runEnd(text, from: start, end: end, of: .letter) }
    var i = start
    while i < end, case (let kind, let length) = wordClass(text + i), kind == .letter { i += length }
    return i
  }

  private func digitsEnd(_ text: UnsafePointer<UInt8>, from start: Int, end: Int, more: Int) -> Int {
    var i = start
    for _ in 0..<more where i < end {
      let (kind, length) = classes.at(text + i)
      guard kind == .number else { break }
      i += length
    }
    return i
  }

  /// ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, with a slash among the line breaks in o200k.
  private func signsOrBlanks(_ text: UnsafePointer<UInt8>, from start: Int, end: Int, _ kind: CharacterClass) -> Int {
    var i = kind == .whiteSpace && text[start] == UInt8(ascii: " ") ? start + 1 : start
    if i < end, wordClass(text + i).class == .other {
      while i < end, case (let kind, let length) = wordClass(text + i), kind == .other { i += length }
      while i < end, isLineBreak(text[i]) || splitting == .o200k && text[i] == UInt8(ascii: "/") { i += 1 }
      return i
    }
    let run = runEnd(text, from: start, end: end, of: .whiteSpace)
    // In cl100k any white space at the end of the text is one piece.
    if splitting == .cl100k && run == end { return end }
    if let last = (start..<run).last(where: { isLineBreak(text[$0]) }) { return last + 1 }
    return whiteSpaceEnd(text, from: start, end: end)
  }

  @inline(__always)
  private func isLineBreak(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

  /// The length of a contraction in upper or lower case, or 0. By Unicode, ſ is a lower case s.
  private func looseContractionLength(_ text: UnsafePointer<UInt8>, available: Int) -> Int {
    guard available >= 2 else { return 0 }
    func lower(_ place: Int) -> UInt8 { place < available ? text[place] | 0x20 : 0 }
    switch lower(1) {
    case UInt8(ascii: "s"), UInt8(ascii: "d"), UInt8(ascii: "m"), UInt8(ascii: "t"): return 2
    case UInt8(ascii: "l"): return lower(2) == UInt8(ascii: "l") ? 3 : 0
    case UInt8(ascii: "v"), UInt8(ascii: "r"): return lower(2) == UInt8(ascii: "e") ? 3 : 0
    default: return available >= 3 && text[1] == 0xC5 && text[2] == 0xBF ? 3 : 0
    }
  }

  /// The rule of llama.cpp for files that name none:
  ///
  ///     [\p{P}\$\+<=>\^~\|]+
  ///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)
  ///     \p{N}+
  ///     [0-9][0-9][0-9]
  ///
  /// Each pattern splits the pieces that the one before it left; unmatched text stays. So the apostrophe of a
  /// contraction is a sign, and digits never join the blank before them.
  func llamaDefault(_ text: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
    let (kind, length) = signClass(text + start)
    switch kind {
    case .number:
      if isThreeDigits(text, start, end) { return start + 3 }
      var i = start + length
      while i < end, !isThreeDigits(text, i, end), case (.number, let length) = signClass(text + i) { i += length }
      return i
    case .whiteSpace:
      if text[start] == UInt8(ascii: " "), start + 1 < end {
        let (next, length) = signClass(text + start + 1)
        if next == .letter || next == .other { return signRunEnd(text, from: start + 1 + length, end: end, of: next) }
      }
      let run = runEnd(text, from: start, end: end, of: .whiteSpace)
      // The first pattern cuts at signs, so white space before a sign is at the end of its text.
      if run == end || signClass(text + run).class == .multibyte { return run }
      return whiteSpaceEnd(text, from: start, end: end)
    case .letter, .other, .multibyte: return signRunEnd(text, from: start + length, end: end, of: kind)
    }
  }

  /// The class of a scalar, with `multibyte` for signs.
  private func signClass(_ text: UnsafePointer<UInt8>) -> (class: CharacterClass, length: Int) {
    let found = classes.at(text)
    guard found.class == .other, letterCase(text).0.contains(.sign) else { return found }
    return (.multibyte, found.length)
  }

  private func signRunEnd(
    _ text: UnsafePointer<UInt8>, from start: Int, end: Int, of kind: CharacterClass
  ) -> Int {
    var i = start
    while i < end, case (let other, let length) = signClass(text + i), other == kind { i += length }
    return i
  }

  private func isThreeDigits(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    start + 3 <= end && (start..<start + 3).allSatisfy { (0x30...0x39).contains(text[$0]) }
  }
}
