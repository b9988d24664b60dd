import Diagnostics
import Files
import TestSupport
import Testing

@testable import Tokenization

/// llama.cpp's vocabularies, with the texts and ids of its own tests, which `scripts/fetch-data` fetches.
@Suite(.enabled(if: slowTestsEnabled)) struct LlamaVocabularyTests {
  private static func path(_ name: String) -> String { checkout("data/cache/llama-vocabularies/\(name).gguf") }

  @Test(arguments: ["gpt-2", "llama-bpe", "llama-spm", "mpt", "phi-3", "qwen2", "qwen35", "refact", "starcoder"])
  func `gives the ids of llama.cpp's own tests`(_ name: String) throws {
    try expectIDs(of: Tokenizer(path: Self.path(name)), name)
  }

  @Test func `uses MPT's rule for GPT-NeoX's vocabulary, whose file names none`() throws {
    try expectIDs(of: Tokenizer(path: Self.path("gpt-neox")), "mpt")
  }

  private func expectIDs(of tokenizer: Tokenizer, _ name: String) throws {
    let separator = Array("\n__ggml_vocab_test__\n".utf8)
    let texts = try Files.read("\(Self.path(name)).inp").split(separator: separator, omittingEmptySubsequences: false)
    let lines = try text("\(Self.path(name)).out").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(texts.count == lines.count && texts.count >= 47)
    for (bytes, line) in zip(texts, lines) {
      let expected = line.split(separator: " ").map { Int32($0)! }
      #expect(tokenizer.encode(Array(bytes)) == expected, "\(name): \(String(decoding: bytes, as: UTF8.self))")
    }
  }

  @Test(arguments: [
    ("bert-bge", "tokenizer.ggml.model is \"bert\""),
    ("deepseek-coder", "tokenizer.ggml.pre is \"deepseek-coder\""), ("falcon", "tokenizer.ggml.pre is \"falcon\""),
    ("gemma-4", "tokenizer.ggml.model is \"gemma4\""), ("nomic-bert-moe", "tokenizer.ggml.model is \"t5\""),
  ]) func `names the setting that is not supported`(_ name: String, _ words: String) {
    let failure = #expect(throws: Failure.self) { try Tokenizer(path: Self.path(name)) }
    #expect(failure?.status == .badData && failure?.place == Self.path(name))
    #expect(failure?.message.hasPrefix(words) == true)
  }
}
