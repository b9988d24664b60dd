import Files

/// A source of which the first bytes have been read already.
final class PrefixedSource: ByteSource {
  let name: String
  private var prefix: ArraySlice<UInt8>
  private let source: any ByteSource

  init(_ prefix: ArraySlice<UInt8>, _ source: any ByteSource) {
    name = source.name
    self.prefix = prefix
    self.source = source
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard !prefix.isEmpty else { return try source.read(into: buffer) }
    let taken = prefix.prefix(buffer.count)
    buffer.copyBytes(from: taken)
    prefix = prefix.dropFirst(taken.count)
    return taken.count
  }
}
