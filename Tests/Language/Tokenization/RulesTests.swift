import Diagnostics
import Files
import JSON
import RandomNumbers
import TestSupport
import Testing

@testable import Tokenization

/// Every rule compared with `tokenizers`; see `Fixtures/make_rules.py`.
@Suite struct RulesTests {
  static let names = [
    "neox", "smollm", "llama3", "qwen2", "qwen35", "cl100k", "o200k", "llama-default", "llama2", "metaspace-first",
    "metaspace-always",
    "metaspace-never",
  ]
  private static let cases = try! JSON(parsing: Files.read(fixture("rules/cases.json")), source: "cases.json")
  private static let texts = cases["texts"]!.objectValue!.map { (name: $0.key, text: $0.value.stringValue!) }

  private func tokenizer(_ name: String) throws -> Tokenizer { try Tokenizer(path: fixture("rules/\(name).json")) }

  static func expectIDs(of tokenizer: Tokenizer, _ name: String) {
    for ((title, text), ids) in zip(texts, cases["ids"]![name]!.arrayValue!) {
      #expect(tokenizer.encode(text) == ids.arrayValue!.map { Int32($0.intValue!) }, "\(name), \(title)")
    }
  }

  @Test(arguments: names) func `gives the ids that tokenizers gives`(_ name: String) throws {
    try Self.expectIDs(of: tokenizer(name), name)
  }

  @Test(arguments: names) func `reads the file that it writes as the same vocabulary`(_ name: String) throws {
    let read = try tokenizer(name)
    let again = try Tokenizer(
      TokenizerFile.vocabulary(Array(read.fileText.utf8), source: name), endOfText: read.endOfText, source: name)
    #expect(again.vocabulary == read.vocabulary)
    #expect(read.givesSameIDs(as: again))
    Self.expectIDs(of: again, name)
  }

  @Test(arguments: names) func `a text cut at a safe place has the ids of the whole`(_ name: String) throws {
    let tokenizer = try tokenizer(name)
    let text = motley(seed: 11, parts: 3000) + Self.texts.map(\.text).joined(separator: " ")
    let expected = tokenizer.encode(text)
    for size in [40, 333, 5000] {
      #expect(try tokenizer.encodeInChunks(text, size: size) == expected + [tokenizer.endOfText], "\(name), \(size)")
    }
  }

  @Test(arguments: names) func `decodes to the encoded text, except for what the rules remove`(_ name: String) throws {
    let tokenizer = try tokenizer(name)
    for (title, text) in Self.texts {
      var expected = Array(text.utf8)
      if tokenizer.vocabulary.rules.composes {
        var buffer = ByteBuffer(capacity: 0)
        expected.withUnsafeBufferPointer { Composition.shared.append($0, to: &buffer) }
        // Added tokens of the original text are not normalised.
        if text.contains("é\u{301}") { continue }
        expected = Array(buffer.bytes)
      }
      if tokenizer.vocabulary.rules.splitting == .sentencePiece {
        expected = expected.replacing(SentencePieceAlphabet.blank, with: CollectionOfOne(0x20))
        // Decoding removes a blank before the text as an added one.
        if expected.first == 0x20 && tokenizer.vocabulary.rules.prefix != .everywhere { continue }
        if text.contains("<tool>") { continue }
      }
      #expect(tokenizer.decode(tokenizer.encode(text)) == expected, "\(name), \(title)")
    }
  }

  @Test func `special tokens are recognised on request`() throws {
    let tokenizer = try tokenizer("llama2")
    #expect(tokenizer.encode("<s>", specials: true) == [1])
    #expect(tokenizer.encode("<s>") != [1])
    #expect(tokenizer.encode("a</s>b", specials: true).contains(2))
    #expect(tokenizer.endOfText == 2)
    #expect(tokenizer.beginOfText == 1)
    #expect(tokenizer.addsBeginOfText)
  }

  @Test func `texts compose to equal bytes if Swift compares them as equal`() {
    // Canonically equivalent texts compose to equal bytes, and Swift's comparison finds equivalent texts. Only characters
    // that both Unicode versions have take part.
    var random = SplitMix64(seed: 5)
    let scalars: [Unicode.Scalar] = (0x80..<0x1_F000).compactMap { code in
      // Swift counts these as starters, although their decompositions are reordered.
      if [0x344, 0xF73, 0xF75, 0xF81].contains(code) { return nil }
      guard let scalar = Unicode.Scalar(UInt32(code)), let age = scalar.properties.age, age <= (9, 0) else {
        return nil
      }
      return scalar
    }
    let marks = scalars.filter { $0.properties.canonicalCombiningClass != .notReordered }
    func composed(_ text: String) -> [UInt8] {
      var buffer = ByteBuffer(capacity: 0)
      Array(text.utf8).withUnsafeBufferPointer { Composition.shared.append($0, to: &buffer) }
      return Array(buffer.bytes)
    }
    for _ in 0..<20_000 {
      var text = String.UnicodeScalarView()
      for _ in 0..<3 {
        text.append(scalars.randomElement(using: &random)!)
        if random.next() % 2 == 0 { text.append(marks.randomElement(using: &random)!) }
        if random.next() % 2 == 0 { text.append(marks.randomElement(using: &random)!) }
      }
      let (given, made) = (String(text), composed(String(text)))
      let back = String(decoding: made, as: UTF8.self)
      #expect(given == back)
      #expect(composed(back) == made)
    }
  }
}
