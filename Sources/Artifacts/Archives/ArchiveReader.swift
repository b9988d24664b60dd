import CArchive
import Diagnostics
import Glibc

/// The regular files in an archive or compressed file, one after the other, in memory that does not grow with them.
///
/// Reads tar, zip and 7-zip, and files that are compressed without an archive around them, or not at all; each may be
/// compressed by gzip, bzip2, xz, lzma, zstd or lz4. The format is told from the content. Formats that refer to other
/// files (mtree), that plain text could be mistaken for (cpio, WARC), and filters that run other programs are left out.
///
/// What could write or read outside a folder is refused by name although nothing is unpacked here: links, devices,
/// absolute paths and `..`.
public final class ArchiveReader {
  public let path: String
  private let archive: OpaquePointer
  private let unpackedLimit: Int?
  private var unpacked = 0
  /// The name of the entry that is being read, and which of all it is.
  private var current = (name: "", number: 0)

  /// - Parameters:
  ///   - unpackedLimit: the most bytes that all entries together may unpack to, against files made to fill a disk.
  /// - Throws: `Failure`: `.missingInput` or `.inputOutput` when the file cannot be opened, `.badData` when it is broken.
  public init(_ path: String, unpackedLimit: Int? = nil) throws {
    self.path = path
    self.unpackedLimit = unpackedLimit
    _ = try FileReader(path)  // Says more clearly than libarchive why a file cannot be opened.
    archive = archive_read_new()
    let formats = [
      archive_read_support_format_tar, archive_read_support_format_zip, archive_read_support_format_7zip,
      archive_read_support_format_raw, archive_read_support_format_empty,
    ]
    let filters = [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_xz,
      archive_read_support_filter_lzma, archive_read_support_filter_zstd, archive_read_support_filter_lz4,
    ]
    for enable in formats + filters {
      guard enable(archive) == ARCHIVE_OK else {
        throw Failure(.unavailable, "this build of libarchive lacks a format: \(reason)", at: path)
      }
    }
    guard archive_read_open_filename(archive, path, FileReader.bufferSize) == ARCHIVE_OK else { throw broken(nil) }
  }

  deinit { archive_read_free(archive) }

  /// Whether the file is an archive or compressed, and not a plain one; known once `next` has been called.
  public var isPacked: Bool {
    let isArchive = ![ARCHIVE_FORMAT_RAW, ARCHIVE_FORMAT_EMPTY].contains(archive_format(archive))
    return isArchive || archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE
  }

  /// The next regular file; nil after the last. What was not read of the one before is passed over.
  public func next() throws -> ArchiveEntry? {
    try skipRest()
    current = ("", current.number + 1)
    while let header = try nextHeader() {
      let name = try plainName(header)
      if archive_entry_filetype(header) == S_IFDIR { continue }
      guard archive_entry_filetype(header) == S_IFREG, archive_entry_hardlink(header) == nil else {
        throw Failure(.badData, "the entry '\(name)' is a link or a device; only files and folders are read", at: path)
      }
      current.name = name
      return ArchiveEntry(reader: self, entryName: name, number: current.number)
    }
    return nil
  }

  /// Reads what is left of the current entry, so that it counts towards the limit and damage in it is found.
  private func skipRest() throws {
    guard !current.name.isEmpty else { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileReader.bufferSize, alignment: 16)
    defer { buffer.deallocate() }
    while try read(buffer, ofEntry: current.number) > 0 {}
  }

  private func nextHeader() throws -> OpaquePointer? {
    var header: OpaquePointer?
    let outcome = CharacterSet.utf8 { archive_read_next_header(archive, &header) }
    switch outcome {
    case ARCHIVE_OK: return header
    case ARCHIVE_EOF: return nil
    default: throw broken(nil)
    }
  }

  /// The entry's path without a leading `./`; a file that is only compressed is named after the compressed file.
  private func plainName(_ header: OpaquePointer) throws -> String {
    if archive_format(archive) == ARCHIVE_FORMAT_RAW { return uncompressedName }
    guard let text = CharacterSet.utf8({ archive_entry_pathname(header) }) else {
      throw Failure(.badData, "the name of an entry is not valid UTF-8", at: path)
    }
    var name = Substring(String(cString: text))
    while name.hasPrefix("./") { name = name.dropFirst(2).drop { $0 == "/" } }
    if archive_entry_filetype(header) == S_IFDIR {
      while name.hasSuffix("/") && name.utf8.count > 1 { name.removeLast() }
      if name.isEmpty || name == "." { return "." }
    }
    guard Files.isPlainRelative(String(name)) else {
      throw Failure(.badData, "the entry '\(String(cString: text))' leads out of the archive", at: path)
    }
    return String(name)
  }

  private var uncompressedName: String {
    let name = Files.name(of: path)
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    let isCompressed = ["gz", "bz2", "xz", "lzma", "zst", "lz4"].contains(String(name[name.index(after: dot)...]))
    return isCompressed ? String(name[..<dot]) : name
  }

  fileprivate func read(_ buffer: UnsafeMutableRawBufferPointer, ofEntry number: Int) throws -> Int {
    precondition(number == current.number, "an entry is read before the next one is asked for")
    var count: Int
    repeat { count = archive_read_data(archive, buffer.baseAddress, buffer.count) } while count == ARCHIVE_RETRY
    guard count >= 0 else { throw broken(current.name) }
    unpacked += count
    if let unpackedLimit, unpacked > unpackedLimit {
      throw Failure(
        .badData, "unpacks to more than the limit of \(unpackedLimit) bytes (in the entry '\(current.name)')", at: path)
    }
    return count
  }

  private func broken(_ entry: String?) -> Failure {
    Failure(
      archive_errno(archive) == EIO ? .inputOutput : .badData,
      "cannot be unpacked\(entry.map { " (in the entry '\($0)')" } ?? ""): \(reason)", at: path)
  }

  private var reason: String { archive_error_string(archive).map { String(cString: $0) } ?? "no reason given" }
}

/// A regular file in an archive; it can be read until the next one is asked for.
public final class ArchiveEntry: ByteSource {
  /// The path inside the archive: relative, plain, without `./`.
  public let entryName: String
  public var name: String { "\(reader.path), entry '\(entryName)'" }
  private let reader: ArchiveReader
  private let number: Int

  fileprivate init(reader: ArchiveReader, entryName: String, number: Int) {
    self.reader = reader
    self.entryName = entryName
    self.number = number
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try reader.read(buffer, ofEntry: number)
  }
}
