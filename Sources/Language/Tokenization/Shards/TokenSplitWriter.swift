import Diagnostics
import Files
import JSON

/// The totals of a split, for the manifest's summary.
public struct SplitTotals: Equatable, Sendable {
  public var tokens = 0
  public var documents = 0
  public var bytes = 0
  public var words = 0

  public var json: JSON {
    [
      "tokens": .integer(tokens), "documents": .integer(documents), "bytes": .integer(bytes), "words": .integer(words),
    ]
  }
}

/// Writes one split of a `tokens` artifact: shards of at most `shardTokens` ids, and a record for each document.
public final class TokenSplitWriter {
  public private(set) var totals = SplitTotals()

  private let split: Split
  private let vocabulary: Int
  private let width: Int
  private let shardTokens: Int
  private let path: (String) throws -> String
  private let documents: FileWriter
  private var shard: FileWriter
  private var shardIndex = 0
  private var tokensInShard = 0
  private var tokensInDocument = 0
  private var narrow: [UInt16] = []

  /// - Parameters:
  ///   - vocabulary: one more than the largest id.
  ///   - path: returns the path at which to write a file of this name.
  public init(_ split: Split, vocabulary: Int, shardTokens: Int, path: @escaping (String) throws -> String) throws {
    self.split = split
    self.vocabulary = vocabulary
    self.shardTokens = shardTokens
    self.path = path
    width = TokenFormat.width(vocabulary: vocabulary)
    documents = try FileWriter(path(TokenFormat.documentsFile(split)))
    try documents.write(TokenFormat.header(TokenFormat.documentsMagic, TokenFormat.recordSize, 0, 0))
    shard = try FileWriter(path(TokenFormat.shardFile(split, 0)))
    try shard.write(TokenFormat.header(TokenFormat.tokensMagic, width, vocabulary, 0))
  }

  /// Adds tokens to the open document.
  public func append(_ ids: UnsafeBufferPointer<UInt32>) throws {
    var rest = ids[...]
    while !rest.isEmpty {
      if tokensInShard == shardTokens { try nextShard() }
      let part = rest.prefix(shardTokens - tokensInShard)
      try write(UnsafeBufferPointer(rebasing: part))
      tokensInShard += part.count
      rest = rest.dropFirst(part.count)
    }
    tokensInDocument += ids.count
  }

  /// Closes the open document, after its end-of-text token was added.
  public func endDocument(bytes: Int, words: Int) throws {
    for value in [totals.tokens, tokensInDocument, bytes, words] { try documents.write(littleEndian: UInt64(value)) }
    totals.tokens += tokensInDocument
    totals.documents += 1
    totals.bytes += bytes
    totals.words += words
    tokensInDocument = 0
  }

  /// Completes the files. Every document must have been closed.
  public func finish() throws {
    precondition(tokensInDocument == 0, "the last document is still open")
    try closeShard()
    try complete(
      documents,
      TokenFormat.header(TokenFormat.documentsMagic, TokenFormat.recordSize, totals.documents, 0))
  }

  private func write(_ ids: UnsafeBufferPointer<UInt32>) throws {
    if width == 4 {
      try shard.write(UnsafeRawBufferPointer(ids))  // All supported processors are little-endian.
    } else {
      narrow.removeAll(keepingCapacity: true)
      narrow.append(contentsOf: ids.lazy.map { UInt16(truncatingIfNeeded: $0) })
      try narrow.withUnsafeBytes { try shard.write($0) }
    }
  }

  private func nextShard() throws {
    try closeShard()
    shardIndex += 1
    tokensInShard = 0
    shard = try FileWriter(path(TokenFormat.shardFile(split, shardIndex)))
    try shard.write(TokenFormat.header(TokenFormat.tokensMagic, width, vocabulary, 0))
  }

  private func closeShard() throws {
    try complete(shard, TokenFormat.header(TokenFormat.tokensMagic, width, vocabulary, tokensInShard))
  }

  /// Overwrites the provisional header with the final counts.
  private func complete(_ file: FileWriter, _ header: [UInt8]) throws {
    try header.withUnsafeBytes { try file.overwrite(at: 0, $0) }
    try file.close()
  }
}
