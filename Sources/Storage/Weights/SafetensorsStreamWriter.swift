import Diagnostics
import Glibc

/// Writes a safetensors file of known shapes: first the header, then rows of each tensor in any order, so that a file may
/// exceed memory.
///
/// `init(continuing:)` continues an interrupted file. The caller records which rows were written before the last
/// `synchronise()`: those are safely on disk. Rows that were never written read as zeros.
public final class SafetensorsStreamWriter {
  public let path: String
  private let header: SafetensorsHeader
  private let dataStart: Int
  private let byName: [[UInt8]: Int]
  private var descriptor: Int32

  /// Creates the file, or replaces it, with room for every tensor.
  public convenience init(
    creating path: String, tensors: [TensorDescription], metadata: [String: String] = [:]
  ) throws {
    let header = SafetensorsHeader(laying: tensors, metadata: metadata)
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Failure.system("cannot create", path) }
    self.init(path: path, header: header, descriptor: descriptor)
    let encoded = header.encoded
    guard ftruncate(descriptor, off_t(encoded.count + header.dataSize)) == 0 else {
      throw Failure.system("cannot extend", path)
    }
    try encoded.withUnsafeBytes { try write($0, at: 0) }
  }

  /// Opens a file that an interrupted run began with the same tensors and metadata.
  ///
  /// - Throws: `Failure` with `.badData` where the file's header differs.
  public convenience init(
    continuing path: String, tensors: [TensorDescription], metadata: [String: String] = [:]
  ) throws {
    let header = SafetensorsHeader(laying: tensors, metadata: metadata)
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system("cannot open", path) }
    self.init(path: path, header: header, descriptor: descriptor)
    let encoded = header.encoded
    var found = [UInt8](repeating: 0, count: encoded.count)
    let length = found.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, 0) }
    guard length >= 0 else { throw Failure.system("cannot read", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system("cannot examine", path) }
    guard found == encoded, Int(status.st_size) == encoded.count + header.dataSize else {
      throw Failure(.badData, "was begun with other tensors than those to be continued", at: path)
    }
  }

  private init(path: String, header: SafetensorsHeader, descriptor: Int32) {
    self.path = path
    self.header = header
    self.descriptor = descriptor
    dataStart = header.encoded.count
    byName = Dictionary(uniqueKeysWithValues: header.places.enumerated().map { (Array($1.description.name.utf8), $0) })
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes consecutive rows (indices of the outermost dimension).
  ///
  /// - Parameters:
  ///   - bytes: the rows, little-endian and row-major.
  ///   - name: the tensor.
  ///   - row: the index of the first of them.
  public func write(rows bytes: UnsafeRawBufferPointer, of name: String, at row: Int) throws {
    guard let index = byName[Array(name.utf8)] else { preconditionFailure("\(path) has no tensor \(name)") }
    let place = header.places[index]
    let rows = place.description.shape.first ?? 1
    let stride = rows == 0 ? 0 : place.bytes.count / rows
    precondition(
      row >= 0 && row <= rows && bytes.count <= (rows - row) * stride && (stride == 0 || bytes.count % stride == 0),
      "\(bytes.count) bytes at row \(row) do not fit \(name) of shape \(place.description.shape)")
    try write(bytes, at: dataStart + place.bytes.lowerBound + row * stride)
  }

  public func write(rows: [Float], of name: String, at row: Int) throws {
    try rows.withUnsafeBytes { try write(rows: $0, of: name, at: row) }
  }

  public func write(rows: [Int32], of name: String, at row: Int) throws {
    try rows.withUnsafeBytes { try write(rows: $0, of: name, at: row) }
  }

  /// Returns when everything written so far is on the disk.
  public func synchronise() throws {
    guard fsync(descriptor) == 0 else { throw Failure.system("cannot flush", path) }
  }

  /// Flushes and closes the file; some file systems report a failed write only now.
  public func finish() throws {
    try synchronise()
    let result = close(descriptor)
    descriptor = -1
    guard result == 0 else { throw Failure.system("cannot close", path) }
  }

  private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let buffer = UnsafeRawBufferPointer(rebasing: rest)
      let written = pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(offset + bytes.count - rest.count))
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw Failure.system("cannot write", path) }
      rest = rest.dropFirst(written)
    }
  }
}
