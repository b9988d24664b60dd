import Generation
import Testing
import Tokenization

@Suite struct TextStreamTests {
  /// What a stream gives for each id, and at the end.
  private func pieces(_ ids: [Int32], _ tokenizer: Tokenizer) -> [String] {
    var stream = TextStream(tokenizer)
    return ids.map { stream.add($0) } + [stream.finish()]
  }

  @Test func `a character comes with its last byte`() throws {
    let tokenizer = try byteTokenizer()
    #expect(pieces(ids("aé€🙂b"), tokenizer) == ["a", "", "é", "", "", "€", "", "", "", "🙂", "b", ""])
    // Tokens that end within a character and begin within one.
    let split = try byteTokenizer(pairs: [(0x61, 0xE2), (0x82, 0xAC)])
    #expect(pieces([257, 258, 0x62], split) == ["a", "€", "b", ""])
  }

  @Test func `bytes that are no text come as U+FFFD, the last ones at the end`() throws {
    let tokenizer = try byteTokenizer()
    #expect(pieces([0xE2, 0x82], tokenizer) == ["", "", "\u{FFFD}"])
    #expect(pieces([0xE2, 0x61], tokenizer) == ["", "\u{FFFD}a", ""])
    #expect(pieces([0xAC, 0x61], tokenizer) == ["\u{FFFD}", "a", ""])
  }

  @Test func `all that comes is the text of all ids, whatever they are`() throws {
    let tokenizer = try byteTokenizer()
    let draws = Draws(seed: 1)
    let bytes: [Int32] = [
      0x20, 0x61, 0x80, 0x82, 0xAC, 0xC3, 0xA9, 0xE2, 0xF0, 0x9F, 0x98, 0xED, 0xA0, 0xF8, 0xFF, 256,
    ]
    for sequence in 0..<2000 {
      let drawn = (0..<12).map { bytes[Int(draws.uniform(sequence: sequence, position: $0) * Double(bytes.count))] }
      let found = pieces(drawn, tokenizer).joined()
      if !found.utf8.elementsEqual(tokenizer.text(of: drawn).utf8) { Issue.record("\(drawn)") }
    }
  }

  @Test func `a blank that encoding puts before a text does not come back, other blanks do`() throws {
    let tokenizer = try byteTokenizer(rules: TokenizationRules(splitting: .sentencePiece, prefix: .everywhere))
    #expect(pieces(ids(" a b"), tokenizer) == ["", "a", " ", "b", ""])
    #expect(pieces(ids("  a"), tokenizer) == ["", " ", "a", ""])
    #expect(pieces(ids(" "), tokenizer).joined() == tokenizer.text(of: ids(" ")))
  }
}
