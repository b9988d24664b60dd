import CArchive
import Diagnostics
import Glibc

/// The regular files in an archive or compressed file, one after the other, in constant memory.
///
/// Reads tar, zip and 7-zip, and files that are compressed without an archive around them, or not at all; each may be
/// compressed by gzip, bzip2, xz, lzma, zstd or lz4. The content decides the format. Not supported are formats that
/// refer to other files (mtree), formats that plain text could be mistaken for (cpio, WARC), and filters that run other
/// programs.
///
/// Hidden files are skipped, as in a folder (`VisibleFiles`). Entries that could write or read outside a folder are refused
/// although nothing is unpacked here: devices, absolute paths, `..`, and links that lead outside. A link to an entry that
/// is read anyway is skipped; any other link is refused, because its content would be missing.
public final class ArchiveReader {
  public let path: String
  private let archive: OpaquePointer
  /// Unpacks gzip before libarchive sees it, since libarchive compares neither CRC nor length.
  private let gzip: ArchiveFeed?
  private let size: Int
  private let unpackedLimit: Int?
  private var unpacked = 0
  /// The name and the number of the current entry.
  private var current = (name: "", number: 0)

  /// The links skipped so far.
  public private(set) var links: [ArchiveLink] = []
  /// Hashes of the paths of visible entries and their folders, for the check of links.
  private var visible: Set<Int> = []

  /// - Parameters:
  ///   - unpackedLimit: the most bytes that all entries together may unpack to; it stops files that were made to fill a
  ///     disk.
  /// - Throws: `Failure`: `.missingInput` or `.inputOutput` when the file cannot be opened, `.badData` when it is broken.
  public init(_ path: String, unpackedLimit: Int? = nil) throws {
    self.path = path
    self.unpackedLimit = unpackedLimit
    let file = try FileReader(path)  // Says more clearly than libarchive why a file cannot be opened.
    size = try file.size
    gzip = GzipReader.isGzip(try file.bytes(at: 0, upTo: 2)) ? ArchiveFeed(GzipReader(file)) : nil
    archive = archive_read_new()
    let formats = [
      archive_read_support_format_tar, archive_read_support_format_zip, archive_read_support_format_7zip,
      archive_read_support_format_raw, archive_read_support_format_empty,
    ]
    let filters = [
      archive_read_support_filter_bzip2, archive_read_support_filter_xz, archive_read_support_filter_lzma,
      archive_read_support_filter_zstd, archive_read_support_filter_lz4,
    ]
    for enable in formats + filters {
      guard enable(archive) == ARCHIVE_OK else {
        throw Failure(
          .unavailable, "this build of libarchive lacks a format\(reason.map { ": \($0)" } ?? "")", at: path)
      }
    }
    // Otherwise everything after the first of several joined archives would be dropped silently.
    archive_read_set_format_option(archive, "tar", "read_concatenated_archives", "1")
    let outcome = gzip?.open(archive) ?? archive_read_open_filename(archive, path, FileReader.bufferSize)
    guard outcome == ARCHIVE_OK else { throw broken(nil) }
  }

  deinit { archive_read_free(archive) }

  /// Whether the file is an archive or compressed, and not a plain one; known once `next` has been called.
  public var isPacked: Bool { isArchive || gzip != nil || archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE }

  /// Whether the file holds files with names, and is not only compressed; known once `next` has been called.
  public var isArchive: Bool { ![ARCHIVE_FORMAT_RAW, ARCHIVE_FORMAT_EMPTY].contains(archive_format(archive)) }

  /// The next visible regular file; nil after the last. The unread rest of the one before is skipped.
  public func next() throws -> ArchiveEntry? {
    try skipRest()
    current = ("", current.number + 1)
    while let header = try nextHeader() {
      let name = try plainName(header)
      if archive_entry_filetype(header) == S_IFDIR { continue }
      if isArchive && !VisibleFiles.include(name) {
        current.name = name
        try skipRest()
        current.name = ""
        continue
      }
      if let link = ArchiveLink(header, in: name) {
        guard link.target != nil else {
          throw Failure(
            .badData, "the entry '\(name)' is a link to '\(link.path)', which leads out of the archive", at: path)
        }
        links.append(link)
        continue
      }
      guard archive_entry_filetype(header) == S_IFREG else {
        throw Failure(.badData, "the entry '\(name)' is a device; only files and folders are read", at: path)
      }
      current.name = name
      if isArchive { noteVisible(name) }
      return ArchiveEntry(reader: self, entryName: name, number: current.number)
    }
    try checkLinks()
    try checkEnd()
    return nil
  }

  private func noteVisible(_ name: String) {
    visible.insert(name.hashValue)
    var folder = Files.folder(of: name)
    while folder != ".", visible.insert(folder.hashValue).inserted { folder = Files.folder(of: folder) }
  }

  private func checkLinks() throws {
    for link in links where !visible.contains(link.target!.hashValue) {
      throw Failure(
        .badData,
        "the entry '\(link.name)' is a link to '\(link.path)', which is not among the files that are read; unpack the archive into a "
          + "folder and give that", at: path)
    }
  }

  /// Reads the rest of the current entry, so that it counts towards the limit and damage in it is found.
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
    // Warnings concern the characters of a name, or attributes that are not used here.
    case ARCHIVE_OK, ARCHIVE_WARN: return header
    case ARCHIVE_EOF: return nil
    default: throw broken(nil)
    }
  }

  /// Checks that nothing follows the archive, and nothing is missing.
  private func checkEnd() throws {
    if let gzip {
      return try gzip.finish { drained in
        if let unpackedLimit, unpacked + drained > unpackedLimit { throw tooLarge("behind its entries") }
      }
    }
    switch archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK {
    case ARCHIVE_FORMAT_ZIP: if try lacksZipDirectory() { throw broken(nil) }
    case ARCHIVE_FORMAT_RAW, ARCHIVE_FORMAT_TAR: try checkBehindFilter()
    default: break
    }
  }

  /// The filters for bzip2, lzma and lz4 end without an error at the first byte that begins no further stream.
  private func checkBehindFilter() throws {
    let filters = archive_filter_count(archive)
    guard filters > 1 else { return }
    var position = Int(archive_filter_bytes(archive, filters - 1))
    let file = try FileReader(path)
    while case let rest = try file.bytes(at: position, upTo: FileReader.bufferSize), !rest.isEmpty {
      try Interruption.check()
      guard rest.allSatisfy({ $0 == 0 }) else {
        throw Failure(
          .badData,
          "the last \(size - position) bytes do not belong to the compressed data before them: the file is damaged there, "
            + "or something was added", at: path)
      }
      position += rest.count
    }
  }

  /// Whether a zip archive is cut off. libarchive then reads the remaining entries without an error.
  private func lacksZipDirectory() throws -> Bool {
    guard archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_ZIP, gzip == nil,
      archive_filter_count(archive) == 1
    else { return false }
    // The record at the end of the directory has 22 bytes, and a comment of at most 65,535 follows.
    let tail = try FileReader(path).bytes(at: max(0, size - 22 - 65_535), upTo: 22 + 65_535)
    let mark = Array("PK\u{5}\u{6}".utf8)
    return !tail.indices.dropLast(21).contains { tail[$0] == mark[0] && tail[$0..<$0 + 4].elementsEqual(mark) }
  }

  /// The entry's path without a leading `./`; a file that is only compressed is named after the compressed file.
  ///
  /// Names in zip and old tar files may have any encoding; bytes that are not UTF-8 are escaped.
  private func plainName(_ header: OpaquePointer) throws -> String {
    if archive_format(archive) == ARCHIVE_FORMAT_RAW { return uncompressedName }
    guard let characters = CharacterSet.utf8({ archive_entry_pathname(header) }) else {
      throw Failure(.badData, "the name of an entry cannot be read as UTF-8", at: path)
    }
    let bytes = UnsafeRawBufferPointer(start: characters, count: strlen(characters))
    let slash = UInt8(ascii: "/")
    var name = bytes[...]
    while name.starts(with: "./".utf8) { name = name.dropFirst(2).drop { $0 == slash } }
    if archive_entry_filetype(header) == S_IFDIR {
      while name.last == slash && name.count > 1 { name.removeLast() }
      if name.isEmpty || name.elementsEqual(".".utf8) { return "." }
    }
    let text = escapingInvalidUTF8(name)
    guard Files.isPlainRelative(text) else {
      throw Failure(.badData, "the entry '\(escapingInvalidUTF8(bytes))' leads out of the archive", at: path)
    }
    return text
  }

  private var uncompressedName: String {
    let name = Files.name(of: path)
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return name }
    let ending = name[dot...].lowercased()
    return PackedEndings.compressions.contains(ending) ? String(name[..<dot]) : name
  }

  fileprivate func read(_ buffer: UnsafeMutableRawBufferPointer, ofEntry number: Int) throws -> Int {
    precondition(number == current.number, "an entry is read before the next one is asked for")
    var count: Int
    repeat { count = archive_read_data(archive, buffer.baseAddress, buffer.count) } while count == ARCHIVE_RETRY
    guard count >= 0 else { throw broken(current.name) }
    unpacked += count
    if let unpackedLimit, unpacked > unpackedLimit { throw tooLarge("in the entry '\(current.name)'") }
    return count
  }

  private func tooLarge(_ place: String) -> Failure {
    Failure(.badData, "unpacks to more than the limit of \(unpackedLimit!) bytes (\(place))", at: path)
  }

  private func broken(_ entry: String?) -> any Error {
    if let failure = gzip?.failure { return failure }
    return Failure(
      archive_errno(archive) == EIO ? .inputOutput : .badData,
      "cannot be unpacked\(entry.map { " (in the entry '\($0)')" } ?? ""): \(explanation)", at: path)
  }

  /// libarchive's message with the remedy; libarchive has no message for an end that comes too early.
  private var explanation: String {
    if (try? lacksZipDirectory()) == true {
      return "the zip archive has no directory at its end, so it is cut short; copy or fetch it again"
    }
    guard let reason else { return "it ends too early or is damaged; copy or fetch it again" }
    if reason.contains("too much memory") {
      return "\(reason): it was made with a window of more than 128 MiB (zstd --long=31); make it anew with less: "
        + "zstd -dc --long=31 FILE | zstd > NEW"
    }
    if reason.contains("No progress is possible") { return "it ends too early; copy or fetch it again" }
    return reason
  }

  private var reason: String? { archive_error_string(archive).map { String(cString: $0) } }
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
