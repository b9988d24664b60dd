import Diagnostics
import Glibc

/// A file seen as memory, read only; every access is checked against its length.
///
/// The file must not be cut while it is mapped, or the process dies of SIGBUS. Published artifacts never change.
public final class MappedFile: @unchecked Sendable {  // The memory is never written.
  public let path: String
  /// Valid as long as this object lives.
  public let bytes: UnsafeRawBufferPointer

  public init(_ path: String) throws {
    self.path = path
    let descriptor = retryingOnInterruption { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Failure.system("cannot open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("cannot look at it", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(.badData, "is not a regular file", at: path) }
    let count = Int(status.st_size)
    guard count > 0 else {  // The system refuses to map nothing.
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let start, start != MAP_FAILED else { throw Failure.system("cannot map into memory", path) }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }

  /// In bytes.
  public var count: Int { bytes.count }

  /// Tells the system that a part of the file is not needed in memory, where it counts towards the process's size. A
  /// later access reads it from the disk again. Pages that also hold other parts stay.
  ///
  /// - Parameter part: in bytes.
  public func release(_ part: Range<Int>) {
    let page = Int(getpagesize())
    let (first, end) = ((part.lowerBound + page - 1) / page * page, part.upperBound / page * page)
    guard let start = bytes.baseAddress, first < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: start + first), end - first, MADV_DONTNEED)
  }

  /// A part of the file, valid as long as this object lives.
  ///
  /// - Throws: `Failure(.badData)` naming `what` when the file is too short.
  public func bytes(at offset: Int, count length: Int, _ what: String) throws -> UnsafeRawBufferPointer {
    guard offset >= 0, length >= 0, offset <= count, length <= count - offset else {
      throw Failure(
        .badData, "\(what) (\(length) bytes at \(offset)) lies outside the file of \(count) bytes", at: path)
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
  }

  /// A little-endian integer, which need not be aligned.
  public func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type, at offset: Int, _ what: String
  ) throws -> Integer {
    let part = try bytes(at: offset, count: MemoryLayout<Integer>.size, what)
    return Integer(littleEndian: part.loadUnaligned(as: Integer.self))
  }
}
