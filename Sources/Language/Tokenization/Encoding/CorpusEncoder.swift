/// Encodes a stream of documents on several threads into the shards of three splits.
public final class CorpusEncoder {
  /// The counts of one encoded segment; its ids stay in the chunk.
  private struct Encoded {
    var tokens: Int
    var spaces: WhiteSpaceRuns
  }

  private let chunker: TextChunker
  private let workers: ChunkWorkers<TextEncoder, [Encoded]>

  /// Receives the documents to encode.
  public var receiver: some DocumentReceiver<Split> { chunker }

  /// - Parameters:
  ///   - writers: one for each split of the documents.
  ///   - threads: does not change the result.
  public convenience init(_ tokenizer: Tokenizer, writers: [Split: TokenSplitWriter], threads: Int) {
    self.init(tokenizer, writers: writers, threads: threads, chunkSize: TextChunk.defaultSize)
  }

  /// - Parameter chunkSize: the bytes of a thread's piece of work; does not change the result.
  init(_ tokenizer: Tokenizer, writers: [Split: TokenSplitWriter], threads: Int, chunkSize: Int) {
    let assembler = DocumentAssembler(writers, endOfText: UInt32(tokenizer.endOfText))
    let workers = ChunkWorkers(
      (0..<threads).map { _ in TextEncoder(tokenizer) }, chunkSize: chunkSize, work: Self.encode
    ) { chunk, encoded in
      var start = 0
      for (segment, part) in zip(chunk.segments, encoded) {
        let ids = UnsafeBufferPointer(start: chunk.ids + start, count: part.tokens)
        try assembler.add(segment, ids, part.spaces)
        start += part.tokens
      }
    }
    self.workers = workers
    chunker = TextChunker(tokenizer, size: chunkSize, newChunk: workers.newChunk, deliver: workers.submit)
  }

  /// Encodes the rest, after the last document.
  public func finish() throws {
    try chunker.finish()
    try workers.finish()
  }

  private static func encode(_ encoder: TextEncoder, _ chunk: TextChunk) -> [Encoded] {
    chunk.makeRoom(encoder)
    var written = 0
    return chunk.segments.map { segment in
      let text = chunk.text.base + segment.range.lowerBound
      let tokens = encoder.encode(
        text, count: segment.range.count, to: chunk.ids + written, isStart: segment.beginsDocument)
      written += tokens
      return Encoded(tokens: tokens, spaces: WhiteSpaceRuns(text, count: segment.range.count))
    }
  }
}

/// Joins the segments of documents, and closes each document with the end-of-text token.
private final class DocumentAssembler {
  private let writers: [Split: TokenSplitWriter]
  private let endOfText: UInt32
  private var bytes = 0
  private var spaces = WhiteSpaceRuns()

  init(_ writers: [Split: TokenSplitWriter], endOfText: UInt32) {
    self.writers = writers
    self.endOfText = endOfText
  }

  func add(_ segment: TextChunk.Segment, _ ids: UnsafeBufferPointer<UInt32>, _ runs: WhiteSpaceRuns) throws {
    let writer = writers[segment.split]!
    try writer.append(ids)
    bytes += segment.range.count
    spaces.append(runs)
    guard segment.endsDocument else { return }
    try withUnsafePointer(to: endOfText) { try writer.append(UnsafeBufferPointer(start: $0, count: 1)) }
    try writer.endDocument(bytes: bytes, words: spaces.words)
    bytes = 0
    spaces = WhiteSpaceRuns()
  }
}
