import Diagnostics
import Glibc

/// A file mapped into memory for reading.
final class MappedFile: Sendable {
  let path: String
  let count: Int
  private let start: UInt

  init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("cannot open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("cannot examine", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(.badData, "is not a file", at: path) }
    self.path = path
    count = Int(status.st_size)
    guard count > 0 else {
      start = 0
      return
    }
    guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
      throw Failure.system("cannot map", path)
    }
    start = UInt(bitPattern: address)
  }

  deinit { if count > 0 { munmap(UnsafeMutableRawPointer(bitPattern: start), count) } }

  func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes \(range) of \(count)")
    let base = UnsafeRawPointer(bitPattern: start).map { $0 + range.lowerBound }
    return try body(UnsafeRawBufferPointer(start: base, count: range.count))
  }
}
