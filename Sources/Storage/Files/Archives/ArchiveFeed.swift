import CArchive
import Diagnostics

/// Gives libarchive the bytes of a source, piece by piece.
final class ArchiveFeed {
  private let source: any ByteSource
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
  /// The failure of the source; libarchive learns no more than that there was one.
  private(set) var failure: (any Error)?

  init(_ source: any ByteSource) { self.source = source }

  deinit { buffer.deallocate() }

  /// Makes an archive read from this object, which must outlive the reading.
  func open(_ archive: OpaquePointer) -> Int32 {
    archive_read_open(
      archive, Unmanaged.passUnretained(self).toOpaque(), nil,
      { _, feed, piece in
        let feed = Unmanaged<ArchiveFeed>.fromOpaque(feed!).takeUnretainedValue()
        piece!.pointee = UnsafeRawPointer(feed.buffer.baseAddress)
        return feed.next()
      }, nil)
  }

  /// Reads the rest of the source, so that damage in it is found.
  ///
  /// - Parameter check: called with the number of bytes read so far.
  func finish(_ check: (Int) throws -> Void) throws {
    var drained = 0
    while case let count = next(), count > 0 {
      drained += count
      try check(drained)
    }
    if let failure { throw failure }
  }

  private func next() -> Int {
    do {
      if let failure { throw failure }
      try Interruption.check()
      return try source.read(into: buffer)
    } catch {
      failure = error
      return Int(ARCHIVE_FATAL)
    }
  }
}
