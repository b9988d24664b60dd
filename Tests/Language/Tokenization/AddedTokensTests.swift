import Files
import JSON
import TestSupport
import Testing

@testable import Tokenization

/// Added tokens with every flag under every rule, compared with `tokenizers`; see `Fixtures/make_added.py`.
@Suite struct AddedTokensTests {
  private struct Case {
    let number: Int
    let file: JSON
    let tokenizer: Tokenizer
    /// Its ids without special tokens, and with them.
    let texts: [(text: String, ids: [Int32], meant: [Int32])]

    init(_ number: Int, _ json: JSON) throws {
      self.number = number
      let base = "rules/\(json["base"]!.stringValue!).json"
      var file = try JSON(parsing: Files.read(fixture(base)), source: base)
      for (name, value) in json["changes"]!.objectValue! { file[name] = value }
      file["added_tokens"] = json["added_tokens"]!
      self.file = file
      tokenizer = try Tokenizer(TokenizerFile.vocabulary(file, source: "case \(number)"), endOfText: 0, source: base)
      func ids(_ name: String) -> [[Int32]] {
        json[name]!.arrayValue!.map { $0.arrayValue!.map { Int32($0.intValue!) } }
      }
      texts = zip(json["texts"]!.arrayValue!, zip(ids("text"), ids("meant"))).map { ($0.stringValue!, $1.0, $1.1) }
    }
  }

  private static let cases = try! JSON(parsing: Files.read(fixture("added/tokens.json")), source: "tokens.json")
    .arrayValue!.enumerated().map { try Case($0, $1) }

  private func expectIDs(_ entry: Case, of tokenizer: Tokenizer) {
    for (text, ids, meant) in entry.texts {
      #expect(tokenizer.encode(text) == ids, "case \(entry.number): \(text.debugDescription)")
      #expect(tokenizer.encode(text, specials: true) == meant, "case \(entry.number), meant: \(text.debugDescription)")
    }
  }

  @Test func `gives the ids that tokenizers gives`() {
    for entry in Self.cases { expectIDs(entry, of: entry.tokenizer) }
  }

  @Test func `reads the file that it writes as the same vocabulary`() throws {
    for entry in Self.cases {
      let again = try TokenizerFile.vocabulary(Array(entry.tokenizer.fileText.utf8), source: "written")
      #expect(again == entry.tokenizer.vocabulary, "case \(entry.number)")
      expectIDs(entry, of: try Tokenizer(again, endOfText: 0, source: "written"))
    }
  }

  @Test func `a text cut at a safe place has the ids of the whole`() throws {
    for entry in Self.cases {
      let text = entry.texts.map(\.text).joined(separator: " ") + entry.texts.map(\.text).joined()
      let expected = entry.tokenizer.encode(text) + [0]
      for size in [1, 30, 200] {
        #expect(try entry.tokenizer.encodeInChunks(text, size: size) == expected, "case \(entry.number), \(size)")
      }
    }
  }
}
