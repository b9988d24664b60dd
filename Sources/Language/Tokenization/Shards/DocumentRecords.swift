import Diagnostics
import Files

/// The records of a `.documents` file, in order.
public struct DocumentRecords: RandomAccessCollection, Sendable {
  public let startIndex = 0
  public let endIndex: Int
  private let file: MappedFile

  /// - Parameter tokens: the number of tokens of all documents together.
  /// - Throws: `Failure(.badData)` if the documents do not follow each other or do not have this number of tokens.
  init(_ path: String, tokens: Int) throws {
    file = try MappedFile(path)
    let (recordSize, count, _) = try TokenFormat.readHeader(TokenFormat.documentsMagic, of: file)
    guard recordSize == TokenFormat.recordSize, count <= file.count,
      file.count == TokenFormat.headerSize + count * TokenFormat.recordSize
    else {
      throw Failure(.badData, "\(count) records of \(recordSize) bytes do not fill a file of \(file.count)", at: path)
    }
    endIndex = count
    var next = 0
    var lengths = 0
    for index in 0..<count {
      let record = self[index]
      guard record.firstToken == next, record.tokenCount > 0, record.tokenCount <= tokens - next, record.bytes >= 0,
        record.words >= 0
      else { throw Failure(.badData, "document \(index + 1) does not follow the one before it", at: path) }
      next += record.tokenCount
      // Callers may add up lengths without overflow.
      for length in [record.bytes, record.words] {
        let (sum, overflow) = lengths.addingReportingOverflow(length)
        guard !overflow else { throw Failure(.badData, "document \(index + 1) has an absurd length", at: path) }
        lengths = sum
      }
    }
    guard next == tokens else {
      throw Failure(.badData, "the documents have \(next) tokens, the shards \(tokens)", at: path)
    }
  }

  public subscript(position: Int) -> DocumentRecord {
    precondition(position >= 0 && position < endIndex, "document \(position) of \(endIndex)")
    func field(_ index: Int) -> Int {
      let offset = TokenFormat.headerSize + position * TokenFormat.recordSize + 8 * index
      return Int(
        truncatingIfNeeded: UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }
    return DocumentRecord(firstToken: field(0), tokenCount: field(1), bytes: field(2), words: field(3))
  }

  /// The index of the document that has a token of the split.
  public func index(ofToken token: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].tokens.upperBound > token { high = middle } else { low = middle + 1 }
    }
    precondition(low < count, "no document has the token \(token)")
    return low
  }
}
