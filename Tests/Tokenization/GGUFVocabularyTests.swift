import Diagnostics
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

  @Test func `no blank is put before the text where the file says so`() throws {
    var metadata = try SentencePieceMetadata()
    metadata.more = [("tokenizer.ggml.add_space_prefix", .bool(false)), ("tokenizer.ggml.add_bos_token", .bool(false))]
    let tokenizer = try tokenizer(metadata)
    RulesTests.expectIDs(of: tokenizer, "metaspace-never")
    #expect(!tokenizer.addsBeginOfText)
  }

  @Test func `the higher score merges first, of equal ones the lower id`() throws {
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
  }

  /// The failure's message when a file changed by `change` is read.
  private func refusal(_ change: (inout SentencePieceMetadata) -> Void) throws -> String? {
    var metadata = try SentencePieceMetadata()
    change(&metadata)
    let changed = metadata
    let failure = #expect(throws: Failure.self) { try tokenizer(changed) }
    #expect(failure?.status == .badData && failure?.place == folder("model.gguf"))
    return failure?.message
  }

  @Test func `refuses by name what is damaged or not supported`() throws {
    #expect(try refusal { $0.scores.removeLast() }?.contains("tokenizer.ggml.scores") == true)
    #expect(try refusal { $0.kinds.removeLast() }?.contains("tokenizer.ggml.token_type") == true)
    #expect(try refusal { $0.kinds[300] = 7 }?.contains("holds 7") == true)
    #expect(
      try refusal { $0.more = [("tokenizer.ggml.remove_extra_whitespaces", .bool(true))] }?
        .contains("remove_extra_whitespaces") == true)
    #expect(try refusal { $0.tokens[300] = "a b" }?.contains("'a b' (300)") == true)
    // A byte that no character is made of but as the first of several.
    #expect(try refusal { $0.tokens[3 + 0xC3] = "odd" }?.contains("single byte 195") == true)
  }

  @Test(.timeLimit(.minutes(1))) func `a token is refused whose merges would take too long to find`() throws {
    let message = try refusal {
      $0.tokens.append(String(repeating: "a", count: 2_000_000))
      $0.kinds.append(1)
      $0.scores.append(0)
    }
    #expect(message == "the token 600 is 2000000 long; at most 1024 is supported")
  }
}
