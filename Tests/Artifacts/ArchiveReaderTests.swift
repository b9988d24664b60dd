import Artifacts
import Diagnostics
import Glibc
import TestSupport
import Testing

@Suite struct ArchiveReaderTests {
  typealias Entry = HandMadeArchive.Entry
  let folder: TemporaryFolder
  let long = (0..<30_000).map { "line \($0)\n" }.joined()

  init() throws { folder = try TemporaryFolder() }

  private func failure(
    _ entries: [Entry], _ format: HandMadeArchive.Format = .tar, unpackedLimit: Int? = nil
  ) throws -> Failure {
    HandMadeArchive.write(entries, format, .none, to: folder("hostile"))
    let failure = try #require(throws: Failure.self) { try readAll(folder("hostile"), unpackedLimit: unpackedLimit) }
    #expect(failure.status == .badData)
    #expect(failure.place == folder("hostile"))
    return failure
  }

  @Test(arguments: [HandMadeArchive.Format.tar, .zip, .sevenZip], HandMadeArchive.Filter.allCases)
  func `archives of every format under every compression are read`(
    format: HandMadeArchive.Format, filter: HandMadeArchive.Filter
  ) throws {
    if format == .sevenZip && filter != .none { return }  // 7-zip needs to seek, which a filter does not allow.
    let entries = [
      Entry(name: "folder/", type: S_IFDIR), Entry(name: "folder/long.txt", content: long), Entry(name: "empty.txt"),
      Entry(name: "folder/Émma 文.txt", content: "né"),
    ]
    HandMadeArchive.write(entries, format, filter, to: folder("archive"))
    let read = try readAll(folder("archive")).sorted { $0.name < $1.name }
    let expected = entries.dropFirst().map { ($0.name, $0.content) }.sorted { $0.0 < $1.0 }
    #expect(read.map(\.name) == expected.map(\.0))
    #expect(read.map(\.content) == expected.map(\.1))
  }

  @Test(arguments: [
    (HandMadeArchive.Filter.gzip, "novel.txt.gz"), (.bzip2, "novel.txt.bz2"), (.xz, "novel.txt.xz"),
    (.zstd, "novel.txt.zst"), (.lz4, "novel.txt.lz4"), (.lzma, "novel.txt.lzma"), (.none, "novel.txt"),
  ])
  func `a compressed file without an archive is one entry named after it`(
    filter: HandMadeArchive.Filter, name: String
  ) throws {
    HandMadeArchive.write([Entry(name: "data", content: long)], .raw, filter, to: folder(name))
    let entries = try readAll(folder(name))
    #expect(entries.map(\.name) == ["novel.txt"])
    #expect(entries.map(\.content) == [long])
  }

  @Test(arguments: [
    "#mtree\n/etc/passwd type=file contents=/etc/passwd\n", "070707 is no archive", "begin 644 x\n", "x",
  ])
  func `plain text that looks like another format is plain text`(text: String) throws {
    try folder.write(text, to: "text")
    #expect(try readAll(folder("text")).map(\.content) == [text])
  }

  @Test func `an empty file has no entries`() throws {
    try folder.write("", to: "empty")
    #expect(try readAll(folder("empty")).isEmpty)
  }

  @Test func `a leading dot folder is no part of a name`() throws {
    HandMadeArchive.write(
      [Entry(name: "./", type: S_IFDIR), Entry(name: "./a/b.txt", content: "x")], .tar, .none, to: folder("dots"))
    #expect(try readAll(folder("dots")).map(\.name) == ["a/b.txt"])
  }

  @Test(arguments: ["/etc/passwd", "../up", "a/../../up", "a/..", "./../up"])
  func `names that lead out of the archive are refused`(name: String) throws {
    #expect(try failure([Entry(name: name, content: "x")]).message.contains("'\(name)' leads out"))
    #expect(try failure([Entry(name: name, content: "x")], .zip).message.contains("'\(name)' leads out"))
    #expect(try failure([Entry(name: name + "/", type: S_IFDIR)]).message.contains("leads out"))
  }

  @Test func `links and devices are refused by name`() throws {
    #expect(try failure([Entry(name: "link", type: S_IFLNK, symbolicLink: "/etc/passwd")]).message.contains("'link'"))
    #expect(
      try failure([Entry(name: "link", type: S_IFLNK, symbolicLink: "x")], .zip).message.contains("'link' is a link"))
    let file = Entry(name: "file", content: "x")
    #expect(try failure([file, Entry(name: "hard", hardLink: "file")]).message.contains("'hard' is a link"))
    for type in [S_IFCHR, S_IFBLK, S_IFIFO] as [mode_t] {
      #expect(try failure([Entry(name: "device", type: type)]).message.contains("'device' is a link or a device"))
    }
  }

  @Test func `a limit on unpacked bytes stops a bomb while it unpacks`() throws {
    let zeros = String(repeating: "0", count: 5_000_000)
    HandMadeArchive.write([Entry(name: "data", content: zeros)], .raw, .gzip, to: folder("bomb.gz"))
    let bomb = #expect(throws: Failure.self) { try readAll(folder("bomb.gz"), unpackedLimit: 1_000_000) }
    #expect(bomb?.message == "unpacks to more than the limit of 1000000 bytes (in the entry 'bomb')")
    #expect(try readAll(folder("bomb.gz"), unpackedLimit: 5_000_000).count == 1)
  }

  @Test func `the limit counts all entries together and those passed over`() throws {
    let entries = (0..<4).map { Entry(name: "\($0)", content: String(repeating: "x", count: 400)) }
    #expect(try failure(entries, unpackedLimit: 1000).message.contains("'2'"))
    HandMadeArchive.write(entries, .tar, .gzip, to: folder("passed"))
    let reader = try ArchiveReader(folder("passed"), unpackedLimit: 1000)
    for _ in 0..<3 { _ = try reader.next() }
    #expect(throws: Failure.self) { try reader.next() }
  }

  @Test(arguments: [HandMadeArchive.Filter.gzip, .bzip2, .xz, .zstd], [HandMadeArchive.Format.tar, .raw])
  func `a cut-off archive is an error and not a short text`(
    filter: HandMadeArchive.Filter, format: HandMadeArchive.Format
  ) throws {
    HandMadeArchive.write([Entry(name: "long.txt", content: long)], format, filter, to: folder("whole"))
    let bytes = try Files.read(folder("whole"))
    for part in [bytes.count / 3, bytes.count / 2, bytes.count * 9 / 10] {
      try AtomicFile.write(bytes[..<part], to: folder("cut"))
      let failure = #expect(throws: Failure.self) { try readAll(folder("cut")) }
      #expect(failure?.status == .badData)
    }
  }

  @Test func `a cut-off archive without compression is an error too`() throws {
    for format in [HandMadeArchive.Format.tar, .sevenZip] {
      HandMadeArchive.write([Entry(name: "long.txt", content: long)], format, .none, to: folder("whole"))
      let bytes = try Files.read(folder("whole"))
      try AtomicFile.write(bytes[..<(bytes.count / 2)], to: folder("cut"))
      #expect(throws: Failure.self) { try readAll(folder("cut")) }
    }
  }

  @Test func `what cannot be opened says why`() throws {
    let missing = #expect(throws: Failure.self) { try ArchiveReader(folder("missing.tar")) }
    #expect(missing?.status == .missingInput)
    #expect(throws: Failure.self) { try ArchiveReader(folder.path) }
  }

  @Test func `lines are read straight out of an archive`() throws {
    HandMadeArchive.write([Entry(name: "a.jsonl", content: "{}\n[1]\n")], .tar, .zstd, to: folder("lines.tar.zst"))
    let entry = try #require(try ArchiveReader(folder("lines.tar.zst")).next())
    var lines = LineReader(entry)
    #expect(try lines.next().map { String(decoding: $0, as: UTF8.self) } == "{}")
    #expect(try lines.next().map { String(decoding: $0, as: UTF8.self) } == "[1]")
    #expect(try lines.next() == nil)
  }
}
