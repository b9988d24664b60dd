import Diagnostics
import Files
import Pairs
import StageDescriptions

/// The samples of a stream in chunks, the next of which is read while one is decoded. Where chunks end depends on the samples
/// alone.
final class SampleChunks {
  /// The most samples of a chunk.
  private static let sampleLimit = 128

  /// One thread at a time reads: a chunk is only asked for when the one before it is there.
  private final class Reader: @unchecked Sendable {
    private let stream: PairStream

    init(_ stream: PairStream) { self.stream = stream }

    func skip(_ count: Int) throws {
      for _ in 0..<count {
        guard try stream.next() != nil else {
          throw Failure(.badData, "the sources hold fewer samples than an earlier run found in them")
        }
      }
    }

    func chunk() throws -> [PairItem] {
      var items: [PairItem] = []
      var bytes = 0
      while items.count < SampleChunks.sampleLimit, bytes < PairsConfiguration.chunkBytes, let item = try stream.next()
      {
        if case .sample(let sample) = item, case .bytes(let content) = sample.content { bytes += content.count }
        items.append(item)
      }
      return items
    }
  }

  private let reader: Reader
  private var ahead: BackgroundValue<[PairItem]>?

  init(_ stream: PairStream) { reader = Reader(stream) }

  /// Passes over samples that an earlier run has decoded.
  func skip(_ count: Int) throws { try reader.skip(count) }

  /// The next chunk; nil after the last.
  func next() throws -> [PairItem]? {
    let chunk = try ahead?.value() ?? reader.chunk()
    guard !chunk.isEmpty else { return nil }
    ahead = BackgroundValue { [reader] in try reader.chunk() }
    return chunk
  }
}
