import Artifacts
import Diagnostics
import Files

/// The tokens of one split, read from its shards through mapped memory, and its documents.
public struct TokenSplit: Sendable {
  /// The number of tokens.
  public let count: Int
  public let documents: DocumentRecords
  private let shards: [TokenShard]
  private let vocabulary: Int

  init(_ split: Split, of artifact: Artifact, vocabulary: Int) throws {
    var shards: [TokenShard] = []
    var start = 0
    while shards.isEmpty || artifact.contains(TokenFormat.shardFile(split, shards.count)) {
      let path = try artifact.file(TokenFormat.shardFile(split, shards.count))
      let shard = try TokenShard(path, vocabulary: vocabulary, start: start)
      start = shard.end
      shards.append(shard)
    }
    documents = try DocumentRecords(artifact.file(TokenFormat.documentsFile(split)), tokens: start)
    count = start
    self.shards = shards
    self.vocabulary = vocabulary
  }

  /// The ids at a range of indices, which may span documents and shards.
  ///
  /// - Precondition: the range lies within `0..<count`.
  /// - Throws: `Failure(.badData)` for an id that is not in the vocabulary.
  public func tokens(in range: Range<Int>) throws -> [Int32] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "tokens \(range) of \(count)")
    return try [Int32](unsafeUninitializedCapacity: range.count) { buffer, written in
      for shard in shards[firstShard(reaching: range.lowerBound)...] where written < range.count {
        let part = range.clamped(to: shard.start..<shard.end)
        try shard.read(part, to: buffer.baseAddress! + written, vocabulary: vocabulary)
        written += part.count
      }
    }
  }

  /// The first shard that ends after an index; the number of shards if none does.
  private func firstShard(reaching index: Int) -> Int {
    var (low, high) = (0, shards.count)
    while low < high {
      let middle = (low + high) / 2
      if shards[middle].end > index { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// One `.tokens` file.
struct TokenShard: Sendable {
  /// The indices in the split of the shard's first token and of the first token after it.
  let start: Int
  let end: Int
  private let file: MappedFile
  private let width: Int

  init(_ path: String, vocabulary: Int, start: Int) throws {
    file = try MappedFile(path)
    let (width, size, count) = try TokenFormat.readHeader(TokenFormat.tokensMagic, of: file)
    guard size == vocabulary else {
      throw Failure(.badData, "the vocabulary has \(size) entries, the artifact's \(vocabulary)", at: path)
    }
    guard width == TokenFormat.width(vocabulary: vocabulary) else {
      throw Failure(.badData, "\(width) bytes per id do not go with a vocabulary of \(vocabulary)", at: path)
    }
    guard file.count - TokenFormat.headerSize == count.multipliedReportingOverflow(by: width).partialValue,
      count <= file.count
    else { throw Failure(.badData, "\(count) ids of \(width) bytes do not fill a file of \(file.count)", at: path) }
    self.width = width
    self.start = start
    end = start + count
  }

  /// Copies the ids at a range of the split's indices, which lies within the shard.
  func read(_ range: Range<Int>, to output: UnsafeMutablePointer<Int32>, vocabulary: Int) throws {
    guard !range.isEmpty else { return }
    let offset = TokenFormat.headerSize + (range.lowerBound - start) * width
    let bytes = try file.bytes(at: offset, count: range.count * width, "ids")
    var largest: UInt32 = 0
    for i in 0..<range.count {
      let id: UInt32
      if width == 2 {
        id = UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
      } else {
        id = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self))
      }
      output[i] = Int32(bitPattern: id)
      largest = max(largest, id)
    }
    guard largest < vocabulary else {
      throw Failure(.badData, "the id \(largest) is not in the vocabulary of \(vocabulary)", at: file.path)
    }
  }
}
