import Diagnostics
import Glibc

/// A source of bytes that are read in order: a file, an entry of an archive.
public protocol ByteSource: AnyObject {
  /// Names the source in errors.
  var name: String { get }

  /// Fills the start of `buffer` and returns the number of bytes; 0 only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
  /// The next bytes, at most `limit` of them; empty only at the end.
  public func read(upTo limit: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      count = try read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// The whole content; nil where it is larger than the limit.
  public func whole(limit: Int) throws -> [UInt8]? {
    var content: [UInt8] = []
    while case let piece = try read(upTo: FileReader.bufferSize), !piece.isEmpty {
      guard content.count + piece.count <= limit else { return nil }
      content += piece
    }
    return content
  }
}

/// A file read from start to end.
public final class FileReader: ByteSource {
  /// In bytes; large enough that the number of system calls does not matter.
  public static let bufferSize = 1 << 16

  public let name: String
  private let descriptor: Int32

  public init(_ path: String) throws {
    name = path
    descriptor = retryingOnInterruption { open(path, O_RDONLY | O_CLOEXEC) }
    if descriptor < 0 { throw Failure.system("cannot open", path) }
    posix_fadvise(descriptor, 0, 0, Int32(POSIX_FADV_SEQUENTIAL))
  }

  deinit { close(descriptor) }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = retryingOnInterruption { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    if count < 0 { throw Failure.system("cannot read", name) }
    return count
  }

  /// The bytes from an offset on, at most `limit` of them, without moving the reading position. Empty for a pipe, which
  /// cannot be read from an offset.
  func bytes(at offset: Int, upTo limit: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      let read = retryingOnInterruption { pread(descriptor, buffer.baseAddress, limit, offset) }
      if read < 0 && errno != ESPIPE { throw Failure.system("cannot read", name) }
      count = max(read, 0)
    }
  }

  /// In bytes.
  public var size: Int {
    get throws { Int(try fileStatus.st_size) }
  }

  /// The status of the open file, also after its name was removed or given to another.
  public var status: FileStatus {
    get throws { FileStatus(try fileStatus) }
  }

  private var fileStatus: stat {
    get throws {
      var status = stat()
      if fstat(descriptor, &status) != 0 { throw Failure.system("cannot look at it", name) }
      return status
    }
  }
}

/// Splits a source into lines, in memory bounded by the longest line that is allowed.
public struct LineReader {
  private let source: any ByteSource
  private let limit: Int
  private var buffer: [UInt8] = []
  private var start = 0
  private var atEnd = false
  /// The number of the line read last, counted from 1.
  public private(set) var number = 0

  /// - Parameter limit: the longest line accepted, in bytes.
  public init(_ source: any ByteSource, limit: Int = 1 << 28) {
    self.source = source
    self.limit = limit
  }

  /// The next line without its `\n`; nil at the end. A last line need not be closed.
  public mutating func next() throws -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        number += 1
        return buffer[start..<end]
      }
      if atEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        number += 1
        return buffer[start...]
      }
      guard buffer.count - start <= limit else {
        throw Failure(.badData, "longer than \(limit) bytes", at: "\(source.name), line \(number + 1)")
      }
      buffer.removeFirst(start)
      start = 0
      searched = buffer.count
      let more = try source.read(upTo: FileReader.bufferSize)
      atEnd = more.isEmpty
      buffer += more
    }
  }
}
