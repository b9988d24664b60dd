/// Counts the distinct pieces of text in a stream of documents on several threads.
public final class CorpusWordCounter {
  private let chunker: TextChunker
  private let workers: ChunkWorkers<WordCounts, Void>

  /// Receives the documents to count, of any split.
  public var receiver: some DocumentReceiver<Split> { chunker }

  public convenience init(threads: Int) { self.init(threads: threads, chunkSize: TextChunk.defaultSize) }

  init(threads: Int, chunkSize: Int) {
    let workers = ChunkWorkers((0..<threads).map { _ in WordCounts() }, chunkSize: chunkSize, work: Self.count) {
      _, _ in
    }
    self.workers = workers
    chunker = TextChunker(size: chunkSize, newChunk: workers.newChunk, deliver: workers.submit)
  }

  /// The counts of all documents. No document may follow.
  public func finish() throws -> WordCounts {
    try chunker.finish()
    try workers.finish()
    let counts = workers.workers[0]
    for others in workers.workers.dropFirst() { counts.add(others) }
    return counts
  }

  private static func count(_ counts: WordCounts, _ chunk: TextChunk) {
    for segment in chunk.segments {
      counts.add(text: chunk.text.base + segment.range.lowerBound, count: segment.range.count)
    }
  }
}
