import Testing

@testable import Tokenization

@Suite struct PretokenizerTests {
  private func pieces(_ text: String) -> [String] {
    let buffer = padded(text.utf8)
    var pieces: [String] = []
    var start = 0
    while start < buffer.count {
      let end = Pretokenizer().pieceEnd(buffer.base, from: start, end: buffer.count)
      pieces.append(String(decoding: buffer.bytes[start..<end], as: UTF8.self))
      start = end
    }
    return pieces
  }

  @Test(arguments: Case.all) func `splits as Python's tokenizers does`(_ example: Case) {
    #expect(pieces(example.text).map { Array($0.utf8) } == example.pieces.map { Array($0.utf8) })
  }

  @Test func `cuts only at places where both parts have the pieces of the whole`() {
    for seed in 1...20 {
      let text = motley(seed: UInt64(seed), parts: 60)
      let buffer = padded(text.utf8)
      let whole = pieces(text).map { Array($0.utf8) }
      var lowest = buffer.count
      var found = 0
      while lowest > 0 {
        lowest -= 1
        guard let cut = Pretokenizer().lastSafeCut(buffer.base, count: lowest + 1, lowest: lowest) else { continue }
        let first = String(decoding: buffer.bytes[..<cut], as: UTF8.self)
        let second = String(decoding: buffer.bytes[cut...], as: UTF8.self)
        #expect((pieces(first) + pieces(second)).map { Array($0.utf8) } == whole)
        found += 1
      }
      #expect(found > 20)
    }
  }

  @Test func `finds no safe place in one long word`() {
    let buffer = padded(String(repeating: "a", count: 1000).utf8)
    #expect(Pretokenizer().lastSafeCut(buffer.base, count: 1000, lowest: 0) == nil)
  }
}

@Suite struct CharacterClassTests {
  /// Swift's properties are those of its library's Unicode version, 16.0 or later: a scalar that 16.0 assigned must be
  /// of the same class there. Categories of assigned characters rarely change.
  @Test func `agrees with Unicode on every scalar that version 16.0 assigns`() {
    var different: [UInt32] = []
    for code in UInt32(0)..<0x11_0000 {
      guard let scalar = Unicode.Scalar(code), let age = scalar.properties.age, age <= (16, 0) else { continue }
      if CharacterClasses.shared.of(code) != expected(scalar) { different.append(code) }
    }
    #expect(different == [])
  }

  @Test func `scalars that version 16.0 does not assign are not letters, numbers or white space`() {
    let newer = (UInt32(0)..<0x11_0000).lazy.filter { code in
      guard let scalar = Unicode.Scalar(code) else { return false }
      return scalar.properties.age.map { $0 > (16, 0) } ?? true
    }
    #expect(newer.allSatisfy { CharacterClasses.shared.of($0) == .other })
  }

  @Test func `word characters are those of Unicode's definition`() {
    for code in UInt32(0)..<0x11_0000 {
      guard let scalar = Unicode.Scalar(code), let age = scalar.properties.age, age <= (15, 0) else { continue }
      let isWord =
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: scalar.properties.isAlphabetic || scalar.properties.isJoinControl
        }
      #expect(WordCharacters.contains(code) == isWord, "U+\(String(code, radix: 16))")
    }
  }

  private func expected(_ scalar: Unicode.Scalar) -> CharacterClass {
    if scalar.properties.isWhitespace { return .whiteSpace }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return .other
    }
  }
}
