import CArchive
import Diagnostics

/// Gives libarchive the bytes of a source, piece by piece.
final class ArchiveFeed {
  private let source: any ByteSource
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
  /// What went wrong in the source; libarchive only learns that something did.
  private(set) var failure: (any Error)?

  init(_ source: any ByteSource) { self.source = source }

  deinit { buffer.deallocate() }

  /// Has an archive read from here, which must live as long as the archive is read.
  func open(_ archive: OpaquePointer) -> Int32 {
    archive_read_open(
      archive, Unmanaged.passUnretained(self).toOpaque(), nil,
      { _, feed, piece in
        let feed = Unmanaged<ArchiveFeed>.fromOpaque(feed!).takeUnretainedValue()
        piece!.pointee = UnsafeRawPointer(feed.buffer.baseAddress)
        return feed.next()
      }, nil)
  }

  /// Reads what nobody asked for, so that damage in it is found.
  ///
  /// - Parameter check: is told how many bytes that were up to now.
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
