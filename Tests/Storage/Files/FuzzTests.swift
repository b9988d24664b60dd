import Files
import TestSupport
import Testing

/// Damaged files of every kind that this target reads.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct Misplaced: Error {}

  private let entries = [
    HandMadeArchive.Entry(name: "a/", type: 0o040000),
    HandMadeArchive.Entry(name: "a/one.txt", content: "It is a truth"),
    HandMadeArchive.Entry(name: "two é.jsonl", content: String(repeating: "{}\n", count: 300)),
    HandMadeArchive.Entry(name: "empty"),
  ]

  private func archive(_ format: HandMadeArchive.Format, _ filter: HandMadeArchive.Filter) throws -> [UInt8] {
    HandMadeArchive.write(format == .raw ? [entries[2]] : entries, format, filter, to: folder("sound"))
    return try Files.read(folder("sound"))
  }

  private static let kinds: [(HandMadeArchive.Format, HandMadeArchive.Filter)] = [
    (.tar, .none), (.zip, .none), (.sevenZip, .none), (.tar, .gzip), (.tar, .bzip2), (.tar, .xz), (.tar, .zstd),
    (.raw, .lzma), (.raw, .lz4), (.raw, .gzip),
  ]

  @Test(arguments: kinds) func `archives`(format: HandMadeArchive.Format, filter: HandMadeArchive.Filter) throws {
    try fuzz([try archive(format, filter)], as: "archive", times: fuzzTimes / 4) { path in
      let reader = try ArchiveReader(path, unpackedLimit: 1 << 24)
      while let entry = try reader.next() {
        if entry.entryName.contains("..") && !Files.isPlainRelative(entry.entryName) { throw Misplaced() }
        while try !entry.read(upTo: 1 << 16).isEmpty {}
      }
    }
  }

  @Test(arguments: kinds)
  func `an archive cut anywhere is refused, or gives its first entries whole`(
    format: HandMadeArchive.Format, filter: HandMadeArchive.Filter
  ) throws {
    let sound = try archive(format, filter)
    let whole = try readAll(folder("sound"))
    try truncations(of: sound, as: "sound") { path in
      let reader = try ArchiveReader(path)
      // A beginning too short to recognise counts as a plain file, which a corpus refuses by its name.
      _ = try reader.next()
      guard reader.isPacked else { return true }
      let found = try readAll(path)
      // A tar without compression may end after any entry.
      let mayEndEarly = format == .tar && filter == .none
      return zip(found, whole).allSatisfy { $0 == $1 } && (found.count == whole.count || mayEndEarly)
    }
  }
}
