import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@testable import Tokenization

@Suite struct WordPieceTests {
  private let folder = try! TemporaryFolder()

  @Test(arguments: ["uncased", "cased", "stripped", "accented"])
  func `gives the ids of tokenizers by every rule of the normaliser`(_ rules: String) throws {
    let tokenizer = try WordPieceTokenizer(path: fixture("wordpiece/\(rules).json"))
    let path = fixture("wordpiece/cases.json")
    let cases = try JSON(parsing: Files.read(path), source: path)[rules]?.arrayValue ?? []
    #expect(cases.count == 26)
    for entry in cases {
      let text = try #require(entry["text"]?.stringValue)
      let ids = entry["ids"]?.arrayValue?.compactMap(\.intValue)
      #expect(tokenizer.encode(text, limit: tokenizer.statedLimit ?? 1000).map(Int.init) == ids, "\(text)")
    }
  }

  @Test func `a text is cut so that the mark after it stays`() throws {
    let tokenizer = try WordPieceTokenizer(path: fixture("wordpiece/uncased.json"))
    #expect(tokenizer.statedLimit == 12)
    let whole = tokenizer.encode("one two three four five six", limit: 1000)
    for limit in [2, 3, 7] {
      let cut = tokenizer.encode("one two three four five six", limit: limit)
      #expect(cut == whole.prefix(limit - 1) + [3])
    }
  }

  @Test func `text that spells a special token stays text`() throws {
    let tokenizer = try WordPieceTokenizer(path: fixture("wordpiece/uncased.json"))
    #expect(!tokenizer.encode("a [SEP] b", limit: 100).dropLast().contains(3))
  }

  @Test(arguments: [
    ("\"WordPiece\",\"unk", "\"Unigram\",\"unk", "model.type"),
    ("\"BertPreTokenizer\"", "\"Whitespace\"", "pre_tokenizer.type"),
    ("\"clean_text\":true", "\"clean_text\":false", "clean_text"),
    ("\"[UNK]\":1", "\"[UNK]\":2", "the id of"), ("\"[UNK]\":1", "\"[UNK]\":400", "the id of"),
    ("\"unk_token\":\"[UNK]\"", "\"unk_token\":\"[NONE]\"", "[NONE]"),
    ("\"TemplateProcessing\"", "\"ByteLevel\"", "post_processor.type"),
    ("\"max_length\":12", "\"max_length\":1", "truncation.max_length"),
    ("\"continuing_subword_prefix\":\"##\"", "\"continuing_subword_prefix\":\"\"", "continuing_subword_prefix"),
  ]) func `a file that is damaged or of another kind is refused by name`(
    _ part: String, _ damage: String, _ word: String
  ) throws {
    let whole = try text(fixture("wordpiece/uncased.json"))
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    let path = try folder.write(damaged, to: "tokenizer.json")
    let failure = #expect(throws: Failure.self) { try WordPieceTokenizer(path: path) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true)
  }

  @Test(.enabled(if: slowTestsEnabled)) func `gives MiniLM's ids to captions in five scripts, as tokenizers does`()
    throws
  {
    let vocabulary = checkout("data/cache/minilm/tokenizer.json")
    let tokenizer = try WordPieceTokenizer(path: vocabulary)
    let captions = try text(checkout("data/cache/cldr-captions/captions.txt"))
    let lines = captions.split(separator: "\n")
    #expect(lines.count == 10_000)
    // Among the others no line spells a special token.
    let mixed = (1...4).flatMap { motley(seed: UInt64($0 + 80), parts: 20_000).split(whereSeparator: \.isNewline) }
    for lines in [lines, mixed] {
      let ids = lines.map { JSON.array(tokenizer.encode(String($0), limit: .max).map { .integer(Int($0)) }) }
      let texts = try folder.write(lines.joined(separator: "\n"), to: "lines.txt")
      let given = try folder.write(JSON.array(ids).compact, to: "ids.json")
      let arguments = [fixture("compare_ids.py"), vocabulary, texts, given]
      #expect(try runProgram(#require(python), arguments) == "")
    }
  }
}
