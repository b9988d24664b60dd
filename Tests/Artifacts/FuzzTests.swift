import Artifacts
import Diagnostics
import TestSupport
import Testing

/// Damaged files of every kind that this target reads.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let texts = [
    #"{"a": [1, -2.5e3, true, null, "é\n\ud83d\ude00"], "b": {"c": {}, "d": [[[]]]}, "": 18014398509481984}"#,
    "[0, 1e-7, \"\", {\"x\": \"\\u0041\\\\\"}, [], {}]", "\"text\"", "-12",
  ]

  @Test func `texts in JSON`() throws {
    try fuzz(Self.texts.map { Array($0.utf8) }, as: "text.json") { path in
      let bytes = try Files.read(path)
      let foreign = try JSON(parsing: bytes, source: path)
      let json = try JSON(parsing: bytes, source: path, for: .strict)
      if foreign != json { throw Unequal() }
      // What is taken is written back, and read back equal.
      for form in [json.canonical, json.compact, json.pretty] {
        if try JSON(parsing: form, source: path, for: .strict) != json { throw Unequal() }
      }
    }
  }

  private struct Unequal: Error {}

  @Test func `manifests`() throws {
    let sample = try Files.read("\(Files.folder(of: #filePath))/Fixtures/artifact-v1/artifact.json")
    try fuzz([sample], as: Manifest.fileName) { _ = try Manifest(of: Files.folder(of: $0)) }
    // The digest refuses nearly all damage before anything else is looked at; now it is made to agree.
    try fuzz([sample], as: "manifest") { path in
      let writer = try FileWriter(folder(Manifest.fileName))
      try writer.write(resealed(try Files.read(path)))
      try writer.close()
      _ = try Manifest(of: folder.path)
    }
  }

  /// A manifest whose last line agrees with what stands before it.
  private func resealed(_ bytes: [UInt8]) -> [UInt8] {
    let closing = Array(#"  "digest": ""#.utf8)
    let start = bytes.lastIndex(of: UInt8(ascii: ",")).map { Array(bytes[...$0]) + [UInt8(ascii: "\n")] } ?? bytes
    return start + closing + Array(SHA256.hex(of: start).utf8) + Array("\"\n}\n".utf8)
  }

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
        if entry.entryName.contains("..") && !Files.isPlainRelative(entry.entryName) { throw Unequal() }
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
      // So little of it that nobody can tell what it was counts as a plain file, which a corpus refuses by its name.
      _ = try reader.next()
      guard reader.isPacked else { return true }
      let found = try readAll(path)
      // A tar without compression may end after any entry.
      let mayEndEarly = format == .tar && filter == .none
      return zip(found, whole).allSatisfy { $0 == $1 } && (found.count == whole.count || mayEndEarly)
    }
  }
}
