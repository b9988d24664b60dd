import CArchive
import Diagnostics
import Files
import Glibc

/// Archives with any content, made with libarchive and without the checks of `ArchiveWriter`.
enum HandMadeArchive {
  enum Format: CaseIterable, Sendable { case tar, zip, sevenZip, raw }
  enum Filter: CaseIterable, Sendable { case none, gzip, bzip2, xz, lzma, zstd, lz4 }

  struct Entry {
    var name: String
    var content = ""
    var type: mode_t = S_IFREG
    var symbolicLink: String?
    var hardLink: String?
  }

  static func write(_ entries: [Entry], _ format: Format, _ filter: Filter, to path: String) {
    let archive = archive_write_new()
    defer { archive_write_free(archive) }
    let setFormat =
      switch format {
      case .tar: archive_write_set_format_pax
      case .zip: archive_write_set_format_zip
      case .sevenZip: archive_write_set_format_7zip
      case .raw: archive_write_set_format_raw
      }
    let addFilter =
      switch filter {
      case .none: archive_write_add_filter_none
      case .gzip: archive_write_add_filter_gzip
      case .bzip2: archive_write_add_filter_bzip2
      case .xz: archive_write_add_filter_xz
      case .lzma: archive_write_add_filter_lzma
      case .zstd: archive_write_add_filter_zstd
      case .lz4: archive_write_add_filter_lz4
      }
    precondition(setFormat(archive) == ARCHIVE_OK && addFilter(archive) == ARCHIVE_OK)
    precondition(archive_write_open_filename(archive, path) == ARCHIVE_OK)
    for entry in entries { write(entry, archive) }
    precondition(archive_write_close(archive) == ARCHIVE_OK)
  }

  private static func write(_ entry: Entry, _ archive: OpaquePointer?) {
    let header = archive_entry_new()
    defer { archive_entry_free(header) }
    archive_entry_set_pathname_utf8(header, entry.name)
    archive_entry_set_filetype(header, entry.type)
    archive_entry_set_perm(header, 0o755)
    if let target = entry.symbolicLink { archive_entry_set_symlink(header, target) }
    if let target = entry.hardLink { archive_entry_set_hardlink(header, target) }
    let bytes = Array(entry.content.utf8)
    archive_entry_set_size(header, Int64(bytes.count))
    let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
    let previous = uselocale(locale)
    precondition(archive_write_header(archive, header) == ARCHIVE_OK)
    uselocale(previous)
    freelocale(locale)
    precondition(archive_write_data(archive, bytes, bytes.count) == bytes.count)
  }
}

/// Names and contents of all entries.
func readAll(_ path: String, unpackedLimit: Int? = nil) throws -> [(name: String, content: String)] {
  let reader = try ArchiveReader(path, unpackedLimit: unpackedLimit)
  var entries: [(name: String, content: String)] = []
  while let entry = try reader.next() {
    var bytes: [UInt8] = []
    while case let chunk = try entry.read(upTo: 1000), !chunk.isEmpty { bytes += chunk }
    entries.append((entry.entryName, String(decoding: bytes, as: UTF8.self)))
  }
  return entries
}
