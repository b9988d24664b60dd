/// The first bytes of kinds of files that are not text.
public enum FileMark {
  private static let packed: [(mark: [UInt8], name: String, ending: String)] = [
    ([0x1F, 0x8B], "gzip", ".gz"), ([0x28, 0xB5, 0x2F, 0xFD], "zstd", ".zst"), (Array("BZh".utf8), "bzip2", ".bz2"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz", ".xz"), ([0x04, 0x22, 0x4D, 0x18], "lz4", ".lz4"),
    (Array("PK\u{3}\u{4}".utf8), "zip", ".zip"), ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "7-zip", ".7z"),
  ]
  private static let others: [(mark: String, name: String, remedy: String)] = [
    ("PAR1", "a Parquet file", "write its rows as JSON lines"),
    ("ARROW1", "an Arrow file", "write its rows as JSON lines"),
    ("%PDF-", "a PDF", "pdftotext takes the text out"), ("{\\rtf", "in the Rich Text Format", "save it as plain text"),
    ("SQLite format 3", "an SQLite database", "write its rows as JSON lines"),
  ]

  /// The kind of a file by its first bytes, with a remedy; nil for text and for unknown kinds.
  public static func advice(_ beginning: some Collection<UInt8>) -> String? {
    if let found = packed.first(where: { beginning.starts(with: $0.mark) }) {
      return "it is packed by \(found.name); unpack it, or have the name of a text end in \(found.ending)"
    }
    return others.first { beginning.starts(with: $0.mark.utf8) }.map { "it is \($0.name); \($0.remedy)" }
  }
}
