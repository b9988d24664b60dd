import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@testable import Tokenization

@Suite struct ClipTokenizerTests {
  private let folder = try! TemporaryFolder()

  private static func withMarks(_ tokenizer: ClipTokenizer, _ text: String) -> [Int] {
    ([tokenizer.beginOfText] + tokenizer.encode(text) + [tokenizer.endOfText]).map(Int.init)
  }

  @Test(arguments: ["tokenizer.json", "vocab.json"])
  func `gives the ids of tokenizers`(file: String) throws {
    let tokenizer = try #require(try ClipTokenizer.read(fixture("clip/\(file)")))
    let path = fixture("clip/cases.json")
    let cases = try JSON(parsing: Files.read(path), source: path).arrayValue ?? []
    #expect(cases.count == 36)
    for entry in cases {
      let text = try #require(entry["text"]?.stringValue)
      let ids: [Int] = (entry["ids"]?.arrayValue ?? []).compactMap(\.intValue)
      #expect(Self.withMarks(tokenizer, text) == ids, "\(text)")
    }
  }

  @Test func `what is written is read as the same vocabulary`() throws {
    let tokenizer = try #require(try ClipTokenizer.read(fixture("clip/vocab.json")))
    let again = try #require(try ClipTokenizer.read(folder.write(tokenizer.fileText, to: "tokenizer.json")))
    #expect(again.vocabulary.tokens == tokenizer.vocabulary.tokens)
    #expect(again.fileText == tokenizer.fileText && again.endOfText == tokenizer.endOfText)
  }

  @Test func `a caption that spells a mark stays text`() throws {
    let tokenizer = try #require(try ClipTokenizer.read(fixture("clip/tokenizer.json")))
    #expect(!tokenizer.encode("a <|endoftext|> b").contains(tokenizer.endOfText))
  }

  @Test func `a vocabulary of another kind is left to others`() throws {
    #expect(try ClipTokenizer.read(fixture("tokenizer.json")) == nil)
  }

  @Test(arguments: [
    ("\"type\":\"Lowercase\"", "\"type\":\"NFKC\"", "normalizer"), ("[\\\\p{N}]|", "[\\\\p{N}]+|", "pre_tokenizer"),
    (
      "\"add_prefix_space\":false,\"trim_offsets\":true", "\"add_prefix_space\":true,\"trim_offsets\":true",
      "pre_tokenizer"
    ),
    ("\"RobertaProcessing\"", "\"BertProcessing\"", "post_processor"),
    ("\"dropout\":null", "\"dropout\":0.5", "dropout"),
    ("\"!\":0", "\"!\":1", "the id of"), ("\"a</w>\"", "\"aa</w>\"", "a</w>"),
  ]) func `a file that would give other ids is refused by name`(
    _ part: String, _ damage: String, _ word: String
  ) throws {
    let whole = try text(fixture("clip/tokenizer.json"))
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    let path = try folder.write(damaged, to: "tokenizer.json")
    let failure = #expect(throws: Failure.self) { try ClipTokenizer.read(path) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true)
  }

  @Test(.enabled(if: slowTestsEnabled)) func `gives tokenizers' ids to captions in five scripts`() throws {
    let vocabulary = fixture("clip/tokenizer.json")
    let tokenizer = try #require(try ClipTokenizer.read(vocabulary))
    let captions = try text(checkout("data/cache/cldr-captions/captions.txt")).split(separator: "\n")
    let mixed = (1...4).flatMap { motley(seed: UInt64($0 + 90), parts: 20_000).split(whereSeparator: \.isNewline) }
    for lines in [captions, mixed] {
      let ids = lines.map { JSON.array(Self.withMarks(tokenizer, String($0)).map(JSON.integer)) }
      let texts = try folder.write(lines.joined(separator: "\n"), to: "lines.txt")
      let given = try folder.write(JSON.array(ids).compact, to: "ids.json")
      #expect(
        try runProgram(#require(python), [fixture("compare_ids.py"), vocabulary, texts, given]) == "")
    }
  }
}
