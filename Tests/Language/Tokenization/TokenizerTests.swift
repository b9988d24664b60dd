import RandomNumbers
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TokenizerTests {
  @Test(arguments: Case.all) func `encodes as Python's tokenizers does`(_ example: Case) {
    #expect(fixtureTokenizer.encode(example.text) == example.ids)
  }

  @Test func `decodes to the encoded text`() {
    for seed in 1...30 {
      let text = motley(seed: UInt64(seed), parts: 200)
      #expect(fixtureTokenizer.decode(fixtureTokenizer.encode(text)) == Array(text.utf8))
    }
  }

  @Test func `encodes ill-formed bytes as their repaired text`() {
    let bytes: [UInt8] = [0x61, 0xFF, 0x62, 0xE2, 0x82]
    #expect(fixtureTokenizer.encode(bytes) == fixtureTokenizer.encode("a\u{FFFD}b\u{FFFD}"))
  }

  @Test func `text that spells a special token is encoded as text`() {
    #expect(!fixtureTokenizer.encode("<|endoftext|>").contains(fixtureTokenizer.endOfText))
    #expect(fixtureTokenizer.text(of: [fixtureTokenizer.endOfText]) == "<|endoftext|>")
  }

  @Test func `unused ids decode to no bytes`() {
    #expect(fixtureTokenizer.decode([-1, 100_000, 65]) == Array("a".utf8))
  }

  @Test func `scanning and the heap give the same ids`() {
    let words = WordEncoder(fixtureTokenizer.merges)
    for seed in 1...50 {
      var random = SplitMix64(seed: UInt64(seed))
      let word = (0..<Int.random(in: 1...96, using: &random)).map { _ in UInt8.random(in: 0x61...0x64, using: &random) }
      // After far more bytes than are scanned, none of which merges with the word.
      let wall = [UInt8](repeating: 0xFE, count: 200)
      let short = encode(words, word)
      let long = encode(words, wall + word)
      #expect(Array(long.suffix(short.count)) == short)
      #expect(long.count == short.count + 200)
    }
  }

  private func encode(_ words: WordEncoder, _ word: [UInt8]) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: word.count) { buffer, count in
      count = words.encode(word, count: word.count, to: buffer.baseAddress!)
    }
  }

  @Test(.timeLimit(.minutes(1))) func `the time per byte does not grow for a word of a million bytes`() {
    let word = String(repeating: "abcab", count: 200_000)
    #expect(fixtureTokenizer.decode(fixtureTokenizer.encode(word)).count == 1_000_000)
  }

  @Test func `words shorter and longer than a cache entry have the same ids at each occurrence`() {
    for length in 1...40 {
      let word = String(repeating: "x", count: length)
      let text = Array(repeating: word, count: 3).joined(separator: " ")
      let once = fixtureTokenizer.encode(word)
      let spaced = fixtureTokenizer.encode(" " + word)
      #expect(fixtureTokenizer.encode(text) == once + spaced + spaced)
    }
  }
}

@Suite struct WhiteSpaceRunsTests {
  @Test func `scalars and bytes of a text agree with Python on white space`() {
    let spaces: [ClosedRange<UInt32>] = [
      0x09...0x0D, 0x1C...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
      0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ]
    let scalars = (0...0x10_FFFF as ClosedRange<UInt32>).compactMap { Unicode.Scalar($0) }
    #expect(scalars.filter(\.isPythonSpace).map(\.value) == spaces.flatMap { Array($0) })
    for scalar in scalars.prefix(0x3100) {
      let text = padded(String(scalar).utf8)
      let isSpace = WhiteSpaceRuns(text.base, count: text.count).words == 2
      if isSpace != scalar.isPythonSpace { Issue.record("U+\(String(scalar.value, radix: 16))") }
    }
  }

  @Test func `each character is counted at every place, with and without the path for eight bytes`() {
    let characters = (0..<128).map { Unicode.Scalar(UInt8($0)) } + ["\u{85}", "\u{3000}", "é"]
    for character in characters {
      for place in 0..<17 {
        let before = String(repeating: "a", count: place)
        let after = String(repeating: " ", count: 17 - place)
        let isSpace = character.isPythonSpace
        // One run of blanks is at the end; another is before it only if `a` is between them.
        let blanks = padded((before + String(character) + after).utf8)
        #expect(WhiteSpaceRuns(blanks.base, count: blanks.count).words == 2, "\(character.value) at \(place)")
        let inner = padded((before + String(character) + String(repeating: "a", count: 17 - place)).utf8)
        #expect(
          WhiteSpaceRuns(inner.base, count: inner.count).words == (isSpace ? 2 : 1), "\(character.value) at \(place)")
      }
    }
  }

  @Test func `the parts of a text add up to the whole, wherever it is cut`() {
    let alphabet: [Character] = ["a", " ", "\n", "\u{1F}", "é", "\u{3000}"]
    var random = SplitMix64(seed: 3)
    for _ in 0..<200 {
      let scalars = (0..<40).map { _ in alphabet.randomElement(using: &random)! }
      let whole = padded(String(scalars).utf8)
      let wanted = WhiteSpaceRuns(whole.base, count: whole.count)
      for cut in 1..<40 {
        let left = padded(String(scalars[..<cut]).utf8)
        let right = padded(String(scalars[cut...]).utf8)
        var joined = WhiteSpaceRuns()
        joined.append(WhiteSpaceRuns(left.base, count: left.count))
        joined.append(WhiteSpaceRuns(right.base, count: right.count))
        #expect(joined.words == wanted.words, "\(scalars) cut at \(cut)")
      }
    }
  }

  @Test(arguments: Case.all) func `counts words as Python's re.split does`(_ example: Case) {
    let text = padded(example.text.utf8)
    #expect(WhiteSpaceRuns(text.base, count: text.count).words == example.words)
  }

  @Test(arguments: Case.all) func `counts the same for a text in parts`(_ example: Case) {
    var whole = WhiteSpaceRuns()
    for scalar in example.text.unicodeScalars {
      let part = padded(String(scalar).utf8)
      whole.append(WhiteSpaceRuns(part.base, count: part.count))
    }
    #expect(whole.words == example.words)
  }
}
