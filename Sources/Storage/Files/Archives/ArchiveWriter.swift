import CArchive
import Diagnostics
import Glibc

/// Writes an archive whose bytes depend on nothing but names, contents and their order: no times, no owners.
public final class ArchiveWriter {
  public enum Format: Sendable {
    /// `.tar.zst`
    case tarZstandard
    /// `.zip`, not compressed
    case zip
  }

  public let path: String
  private let archive: OpaquePointer
  private var names: Set<String> = []

  public init(_ path: String, _ format: Format = .tarZstandard) throws {
    self.path = path
    archive = archive_write_new()
    switch format {
    case .tarZstandard:
      try check(archive_write_add_filter_zstd(archive))
      try check(archive_write_set_format_pax_restricted(archive))
    case .zip:
      try check(archive_write_set_format_zip(archive))
      try check(archive_write_set_format_option(archive, "zip", "compression", "store"))
    }
    try check(archive_write_set_bytes_in_last_block(archive, 1))  // No padding after the compressed bytes.
    try check(archive_write_open_filename(archive, path))
  }

  deinit { archive_write_free(archive) }

  public func add(_ name: String, _ bytes: some Sequence<UInt8>) throws {
    let bytes = Array(bytes)
    try startEntry(name, size: bytes.count)
    try bytes.withUnsafeBytes { try put($0) }
  }

  public func add(_ name: String, _ text: String) throws { try add(name, text.utf8) }

  /// Copies a file in constant memory.
  public func add(_ name: String, file: String) throws {
    let reader = try FileReader(file)
    let size = try reader.size
    try startEntry(name, size: size)
    var copied = 0
    while case let chunk = try reader.read(upTo: FileReader.bufferSize), !chunk.isEmpty {
      copied += chunk.count
      guard copied <= size else { break }
      try chunk.withUnsafeBytes { try put($0) }
    }
    guard copied == size else { throw Failure(.inputOutput, "changed while it was read", at: file) }
  }

  /// Ends the archive, which is incomplete without this.
  public func close() throws {
    try check(archive_write_close(archive))
  }

  private func startEntry(_ name: String, size: Int) throws {
    precondition(Files.isPlainRelative(name) && names.insert(name).inserted, "'\(name)' cannot be an entry's name")
    guard let entry = archive_entry_new() else { fatalError("out of memory") }
    defer { archive_entry_free(entry) }
    archive_entry_set_pathname_utf8(entry, name)
    archive_entry_set_filetype(entry, S_IFREG as mode_t)
    archive_entry_set_perm(entry, 0o644)
    archive_entry_set_size(entry, Int64(size))
    archive_entry_set_mtime(entry, 0, 0)
    try check(CharacterSet.utf8 { archive_write_header(archive, entry) })
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    let count = archive_write_data(archive, bytes.baseAddress, bytes.count)
    if count != bytes.count { throw failure }
  }

  private func check(_ outcome: Int32) throws {
    if outcome != ARCHIVE_OK { throw failure }
  }

  private var failure: Failure {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
    // libarchive's own codes are negative; others are the system's.
    let code = archive_errno(archive)
    let words = code > 0 ? ": \(String(cString: strerror(code)))" : ""
    return Failure(.inputOutput, "cannot write the archive: \(reason)\(words)", at: path)
  }
}
