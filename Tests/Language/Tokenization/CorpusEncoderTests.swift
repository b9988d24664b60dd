import TestSupport
import Testing

@testable import Tokenization

@Suite struct CorpusEncoderTests {
  private let documents = (1...12).map { Array(motley(seed: UInt64($0), parts: $0 % 4 == 0 ? 3000 : 40).utf8) }

  /// Encodes documents, passed in parts of `partSize` bytes, and returns the files.
  private func files(threads: Int, chunkSize: Int, partSize: Int, shardTokens: Int = 1 << 20) throws -> [String:
    [UInt8]]
  {
    let folder = try TemporaryFolder()
    let writer = try TokenSplitWriter(
      .train, vocabulary: fixtureTokenizer.vocabularySize, shardTokens: shardTokens, path: { folder($0) })
    let encoder = CorpusEncoder(fixtureTokenizer, writers: [.train: writer], threads: threads, chunkSize: chunkSize)
    for document in documents {
      try encoder.receiver.begin(.train)
      for start in stride(from: 0, to: document.count, by: partSize) {
        try document[start..<min(start + partSize, document.count)].withUnsafeBufferPointer {
          try encoder.receiver.append($0)
        }
      }
      try encoder.receiver.end()
    }
    try encoder.finish()
    try writer.finish()
    return try contents(folder.path)
  }

  @Test(arguments: [(1, 64, 7), (2, 300, 64), (3, 1 << 18, 1 << 16), (8, 1000, 1), (1, 1, 1000)])
  func `threads, chunk size and part size do not change the files`(
    threads: Int, chunkSize: Int, partSize: Int
  ) throws {
    let expected = try files(threads: 1, chunkSize: 1 << 22, partSize: 1 << 22)
    #expect(try files(threads: threads, chunkSize: chunkSize, partSize: partSize) == expected)
  }

  @Test func `writes the tokenizer's ids of each document, closed by the end-of-text token`() throws {
    let written = try files(threads: 2, chunkSize: 500, partSize: 100)
    let ids = written["train-00000.tokens"]!.dropFirst(32)
    let expected = documents.flatMap { fixtureTokenizer.encode($0) + [fixtureTokenizer.endOfText] }
    #expect(Array(ids) == expected.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
  }

  @Test func `leaves out documents without text`() throws {
    let folder = try TemporaryFolder()
    let writer = try TokenSplitWriter(.test, vocabulary: 700, shardTokens: 10, path: { folder($0) })
    let encoder = CorpusEncoder(fixtureTokenizer, writers: [.test: writer], threads: 1)
    for text in ["", "a", ""] {
      try encoder.receiver.begin(.test)
      try Array(text.utf8).withUnsafeBufferPointer { try encoder.receiver.append($0) }
      try encoder.receiver.end()
    }
    try encoder.finish()
    #expect(writer.totals == SplitTotals(tokens: 2, documents: 1, bytes: 1, words: 1))
  }
}
