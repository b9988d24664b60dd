import Files
import Foundation
import JSON
import RandomNumbers
import StageDescriptions
import TestSupport
import Testing

@testable import Tokenization

/// Live comparisons with `tiktoken` and `tokenizers` on data that `scripts/fetch-data` fetches.
@Suite(.enabled(if: slowTestsEnabled)) struct PeerTests {
  private let folder = try! TemporaryFolder()

  @Test func `gives GPT-2's ids on many scripts, as tiktoken and tokenizers do`() throws {
    let vocabulary = checkout("data/cache/gpt2")
    let tokenizer = try Tokenizer(path: vocabulary)
    let text = Array((1...10).map { motley(seed: UInt64($0), parts: 20_000) }.joined().utf8)
    var broken = text
    var random = SplitMix64(seed: 1)
    for _ in 0..<text.count / 50 {
      broken[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0x80...0xFF, using: &random)
    }
    let novel = try Files.read(checkout("data/cache/austen/emma.txt"))
    for bytes in [text, broken, novel] {
      try compare("compare_encoding.py", [vocabulary], bytes, tokenizer.encode(bytes))
    }
  }

  @Test func `gives the ids of GPT-2's two files from tiktoken's file with its ranks`() throws {
    let tokenizer = try Tokenizer(path: checkout("data/cache/gpt2"))
    try AtomicFile.write(ranksFile(tokenizer.vocabulary.tokens.prefix(50_256)), to: folder("gpt2.tiktoken"))
    let ranked = try Tokenizer(path: folder("gpt2.tiktoken"))
    #expect(ranked.endOfText == tokenizer.endOfText)
    let text = Array((1...5).map { motley(seed: UInt64($0 + 20), parts: 20_000) }.joined().utf8)
    let novel = try Files.read(checkout("data/cache/austen/emma.txt"))
    for bytes in [text, novel] { #expect(ranked.encode(bytes) == tokenizer.encode(bytes)) }
  }

  @Test(arguments: RulesTests.names) func `gives the ids of tokenizers on many scripts by every rule`(
    _ name: String
  ) throws {
    let vocabulary = fixture("rules/\(name).json")
    let text = Array((1...3).map { motley(seed: UInt64($0 + 60), parts: 20_000) }.joined().utf8)
    try compare("compare_tokenizer.py", [vocabulary], text, Tokenizer(path: vocabulary).encode(text))
  }

  @Test func `gives SmolLM2's ids from its GGUF file and from the tokenizer.json that it writes`() throws {
    let file = checkout("data/cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    let tokenizer = try Tokenizer(path: file)
    #expect(tokenizer.endOfText == 0)
    #expect(tokenizer.beginOfText == 1)
    #expect(!tokenizer.addsBeginOfText)
    let text = Array((1...10).map { motley(seed: UInt64($0 + 40), parts: 20_000) }.joined().utf8)
    let novel = try Files.read(checkout("data/cache/austen/emma.txt"))
    try AtomicFile.write(tokenizer.fileText, to: folder("tokenizer.json"))
    let again = try Tokenizer(path: folder("tokenizer.json"))
    #expect(tokenizer.givesSameIDs(as: again))
    for bytes in [text, novel] {
      let ids = tokenizer.encode(bytes)
      #expect(again.encode(bytes) == ids)
      try compare("compare_tokenizer.py", [file, folder("tokenizer.json")], bytes, ids)
    }
  }

  @Test func `loads a file in which merges share ranks, as tokenizers does`() throws {
    var file = try JSON(parsing: Files.read(fixture("rules/llama2.json")), source: "llama2.json")
    file["model"]!["tempnet_shared_ranks"] = [[3, 4], [10, 2]]
    let tokenizer = try Tokenizer(TokenizerFile.vocabulary(file, source: "llama2.json"), source: "llama2.json")
    try AtomicFile.write(tokenizer.fileText, to: folder("tokenizer.json"))
    #expect(try Tokenizer(path: folder("tokenizer.json")).vocabulary == tokenizer.vocabulary)
    let program = "import sys, tokenizers; tokenizers.Tokenizer.from_file(sys.argv[1])"
    #expect(try runProgram(#require(python), ["-c", program, folder("tokenizer.json")]) == "")
  }

  /// Runs a script beside the fixtures, which compares the ids of a text with those that libraries give with each of
  /// several vocabulary files.
  private func compare(_ script: String, _ vocabularies: [String], _ text: [UInt8], _ ids: [Int32]) throws {
    try AtomicFile.write(text, to: folder("text"))
    try AtomicFile.write(ids.flatMap { id in withUnsafeBytes(of: id.littleEndian) { Array($0) } }, to: folder("ids"))
    for vocabulary in vocabularies {
      #expect(try runProgram(#require(python), [fixture(script), vocabulary, folder("text"), folder("ids")]) == "")
    }
  }

  @Test func `learns the merges that tokenizers learns from Austen, and writes a file that tokenizers loads`() throws {
    let files = ["emma", "mansfield-park", "northanger-abbey", "persuasion"].map {
      checkout("data/cache/austen/\($0).txt")
    }
    try compareTraining(files, size: 4096)
  }

  @Test func `learns the merges that tokenizers learns from many scripts`() throws {
    try AtomicFile.write(motley(seed: 5, parts: 30_000), to: folder("motley.txt"))
    try compareTraining([folder("motley.txt")], size: 3000)
  }

  private func compareTraining(_ files: [String], size: Int) throws {
    let counter = CorpusWordCounter(threads: 2)
    for file in files {
      try counter.receiver.begin(.train)
      try Files.read(file).withUnsafeBufferPointer { try counter.receiver.append($0) }
      try counter.receiver.end()
    }
    let vocabulary = try VocabularyTrainer.train(counter.finish(), size: size)
    try AtomicFile.write(TokenizerFile.text(vocabulary), to: folder("tokenizer.json"))
    let arguments = [fixture("compare_training.py"), folder("tokenizer.json")] + files
    #expect(try runProgram(#require(python), arguments) == "")
  }
}
