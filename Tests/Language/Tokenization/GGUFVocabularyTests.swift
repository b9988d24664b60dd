import Diagnostics
import Files
import JSON
import ModelFiles
import TestSupport
import Testing

@testable import Tokenization

/// SentencePiece's vocabularies in GGUF files. Byte-level ones are compared by `LlamaVocabularyTests`.
@Suite struct GGUFVocabularyTests {
  private let folder = try! TemporaryFolder()

  private func tokenizer(_ metadata: SentencePieceMetadata) throws -> Tokenizer {
    try GGUFWriter.write(metadata.entries, [], to: folder("model.gguf"))
    return try Tokenizer(path: folder("model.gguf"))
  }

  @Test func `scores give the ids that tokenizers gives by merges`() throws {
    let tokenizer = try tokenizer(SentencePieceMetadata())
    RulesTests.expectIDs(of: tokenizer, "llama2")
    #expect(tokenizer.beginOfText == 1)
    #expect(tokenizer.endOfText == 2)
    #expect(tokenizer.addsBeginOfText)
  }

  @Test func `add_space_prefix false adds no blank before the text`() throws {
    var metadata = try SentencePieceMetadata()
    metadata.more = [("tokenizer.ggml.add_space_prefix", .bool(false)), ("tokenizer.ggml.add_bos_token", .bool(false))]
    let tokenizer = try tokenizer(metadata)
    RulesTests.expectIDs(of: tokenizer, "metaspace-never")
    #expect(!tokenizer.addsBeginOfText)
  }

  @Test func `the higher score merges first, of equal ones the leftmost`() throws {
    var metadata = try SentencePieceMetadata()
    let (x, q) = (Int32(metadata.tokens.firstIndex(of: "x")!), Int32(metadata.tokens.firstIndex(of: "q")!))
    let (xq, qx) = (Int32(metadata.tokens.count), Int32(metadata.tokens.count + 1))
    metadata.tokens += ["xq", "qx"]
    metadata.kinds += [1, 1]
    metadata.more = [("tokenizer.ggml.add_space_prefix", .bool(false))]
    let own = metadata.scores
    let cases: [([Float], [Int32])] = [([-2, -1], [x, qx]), ([-1, -2], [xq, x]), ([-1, -1], [xq, x])]
    for (scores, expected) in cases {
      metadata.scores = own + scores
      #expect(try tokenizer(metadata).encode("xqx") == expected)
    }
    #expect(try tokenizer(metadata).encode("qqx") == [q, qx])
    #expect(try tokenizer(metadata).encode("qxq") == [qx, q])
  }

  private static func json(_ name: String) -> JSON { try! JSON(parsing: Files.read(fixture(name)), source: name) }

  private static func ids(_ json: JSON) -> [[Int32]] {
    json.arrayValue!.map { $0.arrayValue!.map { Int32($0.intValue!) } }
  }

  /// See `Fixtures/make_llama.py`.
  @Test func `scores, equal or not, give llama.cpp's ids, and so does the written file`() throws {
    for (number, entry) in Self.json("llama/scores.json").arrayValue!.enumerated() {
      var metadata = try SentencePieceMetadata()
      let letters = entry["letters"]!.arrayValue!.map { $0.stringValue! }
      let words = entry["words"]!.arrayValue!.map { $0.stringValue! }
      let count = letters.count + words.count
      metadata.tokens = metadata.tokens.prefix(259) + letters + words
      metadata.kinds = metadata.kinds.prefix(259) + Array(repeating: 1, count: count)
      metadata.scores = Array(repeating: 0, count: 259) + letters.indices.map { Float(-2000 - $0) }
      metadata.scores += entry["scores"]!.arrayValue!.map { Float($0.doubleValue!) }
      metadata.more = [("tokenizer.ggml.add_space_prefix", .bool(entry["prefix"]!.boolValue!))]
      let read = try tokenizer(metadata)
      let isShared = Set(metadata.scores.suffix(words.count)).count < words.count
      #expect(isShared || read.vocabulary.ranks.isEmpty)
      #expect(read.warnings.isEmpty == read.vocabulary.ranks.isEmpty)
      let again = try Tokenizer(
        TokenizerFile.vocabulary(Array(read.fileText.utf8), source: "written"), endOfText: 2, source: "written")
      #expect(again.vocabulary.ranks == read.vocabulary.ranks)
      for (text, ids) in zip(entry["texts"]!.arrayValue!, Self.ids(entry["ids"]!)) {
        #expect(read.encode(text.stringValue!) == ids, "case \(number): \(text)")
        #expect(again.encode(text.stringValue!) == ids, "case \(number), written: \(text)")
      }
    }
  }

  @Test(arguments: [nil, "default"]) func `a file without a rule is read by llama.cpp's, with a warning`(
    _ rule: String?
  ) throws {
    let entry = Self.json("llama/default.json")
    let model = Self.json("rules/neox.json")["model"]!
    let vocabulary = model["vocab"]!.objectValue!.sorted { $0.value.intValue! < $1.value.intValue! }.map(\.key)
    func strings(_ json: JSON) -> [String] { json.arrayValue!.map { $0.stringValue! } }
    let tokens = vocabulary + strings(entry["tokens"]!)
    let merges = model["merges"]!.arrayValue!.map { strings($0).joined(separator: " ") }
    var entries: [(key: String, value: GGUFWriter.Value)] = [
      ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.tokens", .strings(tokens)),
      ("tokenizer.ggml.token_type", .integers([3] + Array(repeating: 1, count: tokens.count - 1))),
      ("tokenizer.ggml.merges", .strings(strings(entry["merges"]!) + merges)),
    ]
    if let rule { entries.append(("tokenizer.ggml.pre", .string(rule))) }
    try GGUFWriter.write(entries, [], to: folder("model.gguf"))
    let tokenizer = try Tokenizer(path: folder("model.gguf"))
    #expect(tokenizer.warnings.count == 1 && tokenizer.warnings[0].contains("llama.cpp's default rule"))
    for (text, ids) in zip(entry["texts"]!.arrayValue!, Self.ids(entry["ids"]!)) {
      #expect(tokenizer.encode(text.stringValue!) == ids, "\(text)")
    }
  }

  @Test func `special tokens of Phi-3 include white space after them, as in llama.cpp`() throws {
    var metadata = try SentencePieceMetadata()
    #expect(try tokenizer(metadata).encode("</s> \n</s>", specials: true).count > 2)
    metadata.more = [("general.name", .string("Phi-3 mini"))]
    #expect(try tokenizer(metadata).encode("</s> \n</s>", specials: true) == [2, 2])
    #expect(try tokenizer(metadata).encode("<s> </s>", specials: true).count > 2)
  }

  /// The message of the failure to read a file changed by `change`.
  private func refusal(_ change: (inout SentencePieceMetadata) -> Void) throws -> String? {
    var metadata = try SentencePieceMetadata()
    change(&metadata)
    let changed = metadata
    let failure = #expect(throws: Failure.self) { try tokenizer(changed) }
    #expect(failure?.status == .badData && failure?.place == folder("model.gguf"))
    return failure?.message
  }

  @Test func `names the damaged or unsupported key`() throws {
    #expect(try refusal { $0.scores.removeLast() }?.contains("tokenizer.ggml.scores") == true)
    #expect(try refusal { $0.kinds.removeLast() }?.contains("tokenizer.ggml.token_type") == true)
    #expect(try refusal { $0.kinds[300] = 7 }?.contains("holds 7") == true)
    #expect(
      try refusal { $0.more = [("tokenizer.ggml.remove_extra_whitespaces", .bool(true))] }?
        .contains("remove_extra_whitespaces") == true)
    #expect(try refusal { $0.tokens[300] = "a b" }?.contains("'a b' (300)") == true)
    #expect(try refusal { $0.scores[300] = .nan }?.contains("holds NaN") == true)
    #expect(
      try refusal { $0.tokens[$0.tokens.firstIndex(of: "▁")!] = "odd" }?.contains("SentencePiece's blank") == true)
    // A byte that occurs only as the first byte of a character.
    #expect(try refusal { $0.tokens[3 + 0xC3] = "odd" }?.contains("single byte 195") == true)
  }

  @Test(.timeLimit(.minutes(1))) func `refuses a token whose merges would take too long to find`() throws {
    let message = try refusal {
      $0.tokens.append(String(repeating: "a", count: 2_000_000))
      $0.kinds.append(1)
      $0.scores.append(0)
    }
    #expect(message == "the token 600 is 2000000 long; at most 1024 is supported")
  }
}
