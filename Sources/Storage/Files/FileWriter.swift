import Diagnostics
import Glibc

/// A file written from start to end through a buffer.
///
/// Bytes may be missing from the file until `flush`, and from the disk until `synchronise`. A writer that is released
/// without `close` drops its buffer, as a killed process would.
public final class FileWriter {
  public let path: String
  private let descriptor: Int32
  private var isOpen = true
  private var buffer: [UInt8] = []
  private static let bufferSize = 1 << 18

  /// The number of bytes written, including those still in the buffer: where the next byte goes.
  public private(set) var position: Int

  /// Makes a file, or empties one that exists.
  public init(_ path: String) throws {
    self.path = path
    position = 0
    descriptor = try Self.open(path, O_CREAT | O_TRUNC)
  }

  /// Continues an existing file: keeps its first `length` bytes and writes after them.
  ///
  /// - Throws: `Failure(.badData)` when the file is shorter than that.
  public init(continuing path: String, after length: Int) throws {
    self.path = path
    position = length
    descriptor = try Self.open(path, 0)
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= length else {
      throw Failure(.badData, "has \(size) bytes, fewer than the \(length) that were saved", at: path)
    }
    if ftruncate(descriptor, length) != 0 || lseek(descriptor, length, SEEK_SET) < 0 {
      throw Failure.system("cannot cut to \(length) bytes", path)
    }
  }

  private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
    let descriptor = retryingOnInterruption { Glibc.open(path, O_WRONLY | O_CLOEXEC | flags, 0o666) }
    if descriptor < 0 { throw Failure.system("cannot write", path) }
    return descriptor
  }

  deinit { if isOpen { Glibc.close(descriptor) } }

  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    position += bytes.count
    if buffer.count + bytes.count > Self.bufferSize { try flush() }
    if bytes.count >= Self.bufferSize { try put(bytes) } else { buffer.append(contentsOf: bytes) }
  }

  public func write(_ bytes: some Sequence<UInt8>) throws {
    let written: Void? = try bytes.withContiguousStorageIfAvailable { try write(UnsafeRawBufferPointer($0)) }
    if written == nil { try Array(bytes).withUnsafeBytes { try write($0) } }
  }

  public func write(_ text: String) throws { try write(text.utf8) }

  /// The bytes of an integer, lowest first.
  public func write<Integer: FixedWidthInteger>(littleEndian value: Integer) throws {
    try withUnsafeBytes(of: value.littleEndian) { try write($0) }
  }

  /// Overwrites bytes before `position`, which does not move; for headers that hold counts.
  public func overwrite(at offset: Int, _ bytes: UnsafeRawBufferPointer) throws {
    precondition(offset >= 0 && offset + bytes.count <= position, "overwriting beyond the end of \(path)")
    try flush()
    try put(bytes) { [descriptor] rest, done in pwrite(descriptor, rest.baseAddress, rest.count, offset + done) }
  }

  /// Hands the buffer to the operating system.
  public func flush() throws {
    let waiting = buffer
    buffer.removeAll(keepingCapacity: true)
    try waiting.withUnsafeBytes { try put($0) }
  }

  /// Flushes, and waits until the bytes are on the disk.
  public func synchronise() throws {
    try flush()
    if retryingOnInterruption({ fsync(descriptor) }) != 0 { throw Failure.system("cannot write to disk", path) }
  }

  /// Flushes and closes; the writer is of no use afterwards.
  public func close() throws {
    try flush()
    isOpen = false
    if Glibc.close(descriptor) != 0 && errno != EINTR { throw Failure.system("cannot write", path) }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    try put(bytes) { [descriptor] rest, _ in Glibc.write(descriptor, rest.baseAddress, rest.count) }
  }

  /// Repeats the call, because the system may take fewer bytes than it is given.
  private func put(_ bytes: UnsafeRawBufferPointer, by call: (UnsafeRawBufferPointer, _ done: Int) -> Int) throws {
    precondition(isOpen, "\(path) is closed")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      let count = retryingOnInterruption { call(rest, done) }
      if count < 0 { throw Failure.system("cannot write", path) }
      done += count
    }
  }
}
