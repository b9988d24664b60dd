import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@testable import Tokenization

@Suite struct TokensArtifactTests {
  private let folder = try! TemporaryFolder()

  /// Publishes an artifact whose train split has the given documents; `damage` may change its files before that.
  private func publish(
    _ documents: [[UInt32]], vocabulary: Int = 700, shardTokens: Int = 7, name: String = "tokens",
    damage: (String) throws -> Void = { _ in }
  ) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-tokenize", stage: "tokenize", stageVersion: 1, kind: .tokens, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: folder(name), identity: identity)
    for split in Split.allCases {
      let writer = try TokenSplitWriter(
        split, vocabulary: vocabulary, shardTokens: shardTokens, path: { try builder.path(for: $0) })
      for document in split == .train ? documents : [] {
        try document.withUnsafeBufferPointer { try writer.append($0) }
        try writer.endDocument(bytes: document.count * 3, words: document.count)
      }
      try writer.finish()
    }
    try AtomicFile.write(fixtureTokenizer.fileText, to: builder.path(for: "tokenizer.json"))
    try damage(Files.folder(of: builder.path(for: "tokenizer.json")))
    return try builder.publish(summary: ["vocabulary": .integer(vocabulary), "endOfText": 0])
  }

  private let documents: [[UInt32]] = (1...9).map { length in (0..<UInt32(length)).map { $0 * 31 % 700 } + [0] }

  @Test(arguments: [700, 1 << 16, 100_000], [1, 7, 1000])
  func `reads back what was written, across shards`(vocabulary: Int, shardTokens: Int) throws {
    let artifact = try publish(documents, vocabulary: vocabulary, shardTokens: shardTokens)
    let train = try TokensArtifact(artifact).split(.train)
    let all = documents.flatMap { $0.map { Int32($0) } }
    #expect(train.count == all.count)
    #expect(try train.tokens(in: 0..<all.count) == all)
    for start in 0..<all.count {
      let range = start..<min(start + 9, all.count)
      #expect(try train.tokens(in: range) == Array(all[range]))
    }
    #expect(try train.tokens(in: all.count..<all.count) == [])
    #expect(train.documents.map(\.tokenCount) == documents.map(\.count))
    #expect(try train.tokens(in: train.documents[4].tokens) == documents[4].map { Int32($0) })
    #expect(train.documents[8].bytes == 30 && train.documents[8].words == 10)
  }

  @Test func `reads the sample of version 1`() throws {
    let sample = try Artifact.open(fixture("tokens-v1"), kind: .tokens, check: .digests)
    let tokens = try TokensArtifact(sample)
    let tokenizer = try tokens.loadTokenizer()
    let text = try Split.allCases.flatMap { split in
      tokenizer.decode(try tokens.split(split).tokens(in: 0..<tokens.split(split).count - 1))
    }
    #expect(try Files.read(fixture("corpus.txt")) == text)
  }

  @Test func `finds the document of a token`() throws {
    let train = try TokensArtifact(publish(documents)).split(.train)
    for (index, record) in train.documents.enumerated() {
      for token in record.tokens { #expect(train.documents.index(ofToken: token) == index) }
    }
  }

  @Test func `splits may have no documents`() throws {
    let tokens = try TokensArtifact(publish(documents))
    #expect(tokens.split(.test).count == 0)
    #expect(tokens.split(.test).documents.isEmpty)
    #expect(try tokens.split(.test).tokens(in: 0..<0) == [])
  }

  @Test func `the artifact has its tokenizer`() throws {
    #expect(try TokensArtifact(publish(documents)).loadTokenizer().vocabulary == fixtureTokenizer.vocabulary)
    let other = try publish(documents, vocabulary: 800, name: "other")
    #expect(throws: Failure.self) { try TokensArtifact(other).loadTokenizer() }
  }

  @Test func `refuses ids outside the vocabulary when they are read`() throws {
    let artifact = try publish([[1, 2, 699, 0]]) { folder in
      try patch("\(folder)/train-00000.tokens", at: 34, [0xBC, 0x02])  // 700
    }
    let train = try TokensArtifact(artifact).split(.train)
    #expect(try train.tokens(in: 0..<1) == [1])
    #expect { _ = try train.tokens(in: 0..<2) } throws: { ($0 as? Failure)?.message.contains("700") == true }
  }

  @Test(arguments: [
    ("train-00000.tokens", 0), ("train-00000.tokens", 8), ("train-00000.tokens", 12), ("train-00000.tokens", 17),
    ("train-00000.tokens", 24), ("train-00000.tokens", 31), ("train.documents", 0), ("train.documents", 8),
    ("train.documents", 12), ("train.documents", 16), ("train.documents", 23), ("train.documents", 33),
    ("train.documents", 40), ("train.documents", 47), ("train.documents", 55), ("train.documents", 63),
  ])
  func `refuses damaged headers and records`(file: String, offset: Int) throws {
    let artifact = try publish(documents) { folder in
      let old = try Files.read("\(folder)/\(file)")[offset]
      try patch("\(folder)/\(file)", at: offset, [old ^ 0x81])
    }
    #expect { _ = try TokensArtifact(artifact) } throws: { ($0 as? Failure)?.status == .badData }
  }

  @Test func `refuses lengths of documents whose sum overflows`() throws {
    let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
    for offset in [48, 56] {
      let artifact = try publish(documents, name: "\(offset)") {
        try patch("\($0)/train.documents", at: offset, huge)
      }
      #expect { _ = try TokensArtifact(artifact) } throws: { ($0 as? Failure)?.status == .badData }
    }
  }

  @Test(arguments: ["train-00000.tokens", "train-00001.tokens", "train.documents"], [0, 5, 31, 33])
  func `refuses files that were cut`(file: String, length: Int) throws {
    let artifact = try publish(documents) { folder in
      let bytes = try Files.read("\(folder)/\(file)")
      try AtomicFile.write(bytes.prefix(length), to: "\(folder)/\(file)")
    }
    #expect { _ = try TokensArtifact(artifact) } throws: { ($0 as? Failure)?.status == .badData }
  }

  @Test func `distinguishes a version that is too new from one that is too old`() throws {
    for (version, word) in [(UInt8(2), "too new"), (0, "too old")] {
      let artifact = try publish(documents, name: word) { try patch("\($0)/train-00000.tokens", at: 8, [version]) }
      #expect { _ = try TokensArtifact(artifact) } throws: { ($0 as? Failure)?.message.contains(word) == true }
    }
  }

  private func patch(_ path: String, at offset: Int, _ new: [UInt8]) throws {
    var bytes = try Files.read(path)
    bytes.replaceSubrange(offset..<offset + new.count, with: new)
    try AtomicFile.write(bytes, to: path)
  }
}
