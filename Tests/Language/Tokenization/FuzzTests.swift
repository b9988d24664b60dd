import Artifacts
import Diagnostics
import Files
import JSON
import ModelFiles
import TestSupport
import Testing

@testable import Tokenization

/// Damaged files of every kind that this target reads.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  /// A vocabulary of the bytes, a few merges and the end of text.
  private static let small: Tokenizer = {
    let counter = CorpusWordCounter(threads: 1)
    try! counter.receiver.begin(.train)
    let text = Array("the cat sat on the mat; the cats sat there, then slept.".utf8)
    try! text.withUnsafeBufferPointer { try counter.receiver.append($0) }
    try! counter.receiver.end()
    let vocabulary = try! VocabularyTrainer.train(counter.finish(), size: 270)
    return try! Tokenizer(vocabulary, source: "small")
  }()

  /// Compact, so that damage rarely hits blanks.
  private static let tokenizerFile: [UInt8] = {
    Array(try! JSON(parsing: small.fileText, source: "small").compact.utf8)
  }()

  private static func read(tokenizer path: String) throws { try check(Tokenizer(path: path)) }

  private static func check(_ tokenizer: Tokenizer) throws {
    let text = "the cats sat there é 🙂 <|endoftext|>"
    // A vocabulary may lack bytes, as SmolLM2's does; text with those bytes is not decoded whole.
    let bytes = Set(tokenizer.vocabulary.tokens.compactMap { $0?.count == 1 ? $0?.first : nil })
    if tokenizer.text(of: tokenizer.encode(text)) != text && bytes.count == 256 { throw Unequal() }
  }

  private struct Unequal: Error {}

  @Test func `tokenizer files`() throws {
    try fuzz([Self.tokenizerFile], as: "tokenizer.json") { try Self.read(tokenizer: $0) }
  }

  @Test func `a tokenizer file cut at any place is refused`() throws {
    try truncations(of: Self.tokenizerFile, as: "tokenizer.json") { path in
      _ = try Tokenizer(path: path)
      return false
    }
  }

  /// GPT-2's two files for `small`.
  private static let (encoder, merges): ([UInt8], [UInt8]) = {
    let json = try! JSON(parsing: small.fileText, source: "small")["model"]!
    let lines = json["merges"]!.arrayValue!.map { $0.arrayValue!.map { $0.stringValue! }.joined(separator: " ") }
    return (
      Array(json["vocab"]!.compact.utf8), Array("#version: 0.2\n\(lines.joined(separator: "\n"))\n".utf8)
    )
  }()

  @Test func `GPT-2's files`() throws {
    let files = Array(zip(HuggingFaceFolder.openAINames, [Self.encoder, Self.merges]))
    for (name, sample) in files {
      let folder = try TemporaryFolder()
      for (name, sample) in files { try AtomicFile.write(sample, to: folder(name)) }
      try fuzz([sample], as: name) { path in
        try Files.link(folder(name), to: path)
        try Self.read(tokenizer: folder.path)
      }
    }
  }

  private static func bytes(_ entries: [(key: String, value: GGUFWriter.Value)]) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    try GGUFWriter.write(entries, [], to: folder("sample.gguf"))
    return try Files.read(folder("sample.gguf"))
  }

  @Test func `byte-level vocabularies in GGUF files`() throws {
    let sample = try Self.bytes(Self.small.ggufEntries(logits: 272, at: "small"))
    try fuzz([sample], as: "vocabulary.gguf") { try Self.read(tokenizer: $0) }
  }

  @Test func `SentencePiece vocabularies in GGUF files`() throws {
    let sample = try Self.bytes(SentencePieceMetadata().entries)
    try fuzz([sample], as: "vocabulary.gguf") { path in
      let tokenizer = try Tokenizer(path: path)
      // Damage may add blanks and remove characters, but all ids stay in the vocabulary.
      let ids = tokenizer.encode("the cats  sat there é 🙂 \u{2581}<s>")
      if !ids.allSatisfy({ (0..<Int32(tokenizer.vocabularySize)).contains($0) }) { throw Unequal() }
      _ = tokenizer.text(of: ids)
    }
  }

  @Test func `tiktoken files`() throws {
    // The end-of-text token has no rank.
    let sample = ranksFile(Self.small.vocabulary.tokens.dropFirst())
    let encoding = TiktokenFile.KnownEncoding(name: "small", ranks: 269, endOfText: 269, splitting: .gpt2)
    func read(_ path: String) throws -> Tokenizer {
      try Tokenizer(TiktokenFile.vocabulary(Files.read(path), among: [encoding], source: path), source: path)
    }
    try fuzz([sample], as: "small.tiktoken") { try Self.check(read($0)) }
    let whole = try TiktokenFile.vocabulary(sample, among: [encoding], source: "small.tiktoken")
    // The file is complete without its last line break.
    try truncations(of: sample, as: "small.tiktoken") { try read($0).vocabulary == whole }
  }

  /// A split of a few documents, in two shards.
  private func split(in folder: TemporaryFolder) throws {
    let writer = try TokenSplitWriter(.train, vocabulary: 270, shardTokens: 30, path: { folder($0) })
    for document in 1...9 as ClosedRange<UInt32> {
      try (0..<document).map { $0 * 29 % 270 }.withUnsafeBufferPointer { try writer.append($0) }
      try writer.endDocument(bytes: Int(document) * 3, words: Int(document))
    }
    try writer.finish()
  }

  @Test func `token shards`() throws {
    let folder = try TemporaryFolder()
    try split(in: folder)
    let samples = try ["train-00000.tokens", "train-00001.tokens"].map { try Files.read(folder($0)) }
    func read(_ path: String) throws {
      let shard = try TokenShard(path, vocabulary: 270, start: 100)
      var ids = [Int32](repeating: 0, count: shard.end - shard.start)
      try ids.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        try shard.read(shard.start..<shard.end, to: start, vocabulary: 270)
      }
      if !ids.allSatisfy({ (0..<270).contains($0) }) { throw Unequal() }
    }
    try fuzz(samples, as: "train-00000.tokens", read)
    try truncations(of: samples[0], as: "train-00000.tokens") { path in
      try read(path)
      return false
    }
  }

  @Test func `records of documents`() throws {
    let folder = try TemporaryFolder()
    try split(in: folder)
    let sample = try Files.read(folder("train.documents"))
    func read(_ path: String) throws {
      let records = try DocumentRecords(path, tokens: 45)
      if records.reduce(0, { $0 + $1.tokenCount }) != 45 { throw Unequal() }
      _ = records.reduce(0) { $0 + $1.bytes + $1.words }
      for token in 0..<45 { _ = records.index(ofToken: token) }
    }
    try fuzz([sample], as: "train.documents", read)
    try truncations(of: sample, as: "train.documents") { path in
      try read(path)
      return false
    }
  }

  @Test func `JSON lines`() throws {
    let sample =
      "{\"text\": \"It is a truth\"}\n\n{\"id\": 3, \"text\": \"universally \\ud83d\\ude00\"}\r\n{\"text\":\"\"}"
    try fuzz([Array(sample.utf8)], as: "text.jsonl") { path in
      let corpus = try Corpus(paths: [path], textField: "text", unpackedLimit: nil, digests: FileDigests())
      try corpus.read(into: DocumentMeasurer())
    }
  }
}
