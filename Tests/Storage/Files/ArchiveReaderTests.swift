import Diagnostics
import Files
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
    if format == .sevenZip && filter != .none { return }  // 7-zip has to seek, which a filter does not allow.
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

  @Test func `a leading ./ is not part of a name`() throws {
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

  @Test func `links that lead out of the archive, and devices, are refused by name`() throws {
    for target in ["/etc/passwd", "../../a/x", "b/../../../x"] {
      let link = Entry(name: "a/link", type: S_IFLNK, symbolicLink: target)
      let words = "the entry 'a/link' is a link to '\(target)', which leads out of the archive"
      #expect(try failure([link]).message == words)
      #expect(try failure([link], .zip).message == words)
    }
    let file = Entry(name: "file", content: "x")
    #expect(try failure([file, Entry(name: "a/hard", hardLink: "../file")]).message.contains("leads out"))
    for type in [S_IFCHR, S_IFBLK, S_IFIFO] as [mode_t] {
      #expect(try failure([Entry(name: "device", type: type)]).message.contains("'device' is a device"))
    }
  }

  @Test(arguments: [HandMadeArchive.Format.tar, .zip])
  func `links inside the archive are skipped and counted`(format: HandMadeArchive.Format) throws {
    let entries = [
      Entry(name: "file", content: "x"), Entry(name: "a/link", type: S_IFLNK, symbolicLink: "../file"),
      Entry(name: ".git/link", type: S_IFLNK, symbolicLink: "/etc/passwd"),
      Entry(name: "other", type: S_IFLNK, symbolicLink: "./a/../file"), Entry(name: "z", content: "y"),
    ]
    let hard = format == .tar ? [Entry(name: "hard", hardLink: "file")] : []
    HandMadeArchive.write(entries + hard, format, .none, to: folder("links"))
    let reader = try ArchiveReader(folder("links"))
    var names: [String] = []
    while let entry = try reader.next() { names.append(entry.entryName) }
    #expect(names == ["file", "z"])
    #expect(reader.links.count == 2 + hard.count && reader.links.first?.name == "a/link")
    #expect(reader.links.first?.target == "file")
  }

  /// Their content would be missed, or read in another way.
  @Test(arguments: [".hidden/a", "gone", "."])
  func `links to entries that are not read are refused by name`(target: String) throws {
    let entries = [
      Entry(name: ".hidden/a", content: "x"), Entry(name: "link", type: S_IFLNK, symbolicLink: target),
      Entry(name: "z", content: "y"),
    ]
    #expect(
      try failure(entries).message.contains(
        "the entry 'link' is a link to '\(target)', which is not among the files that are read"))
  }

  @Test func `entries that are left out count towards the limit`() throws {
    let big = String(repeating: "x", count: 5000)
    HandMadeArchive.write(
      [Entry(name: ".big", content: big), Entry(name: "z", content: "y")], .tar, .gzip, to: folder("big.tgz"))
    #expect(throws: Failure.self) { try readAll(folder("big.tgz"), unpackedLimit: 4000) }
    #expect(try readAll(folder("big.tgz"), unpackedLimit: 6000).map(\.name) == ["z"])
  }

  @Test func `hidden entries are left out, but not a compressed file whose own name is hidden`() throws {
    let names = ["a.txt", "._a.txt", "__MACOSX/._a.txt", ".git/config", "b/.c/d", "b/e"]
    HandMadeArchive.write(names.map { Entry(name: $0, content: $0) }, .tar, .gzip, to: folder("x.tgz"))
    #expect(try readAll(folder("x.tgz")).map(\.name) == ["a.txt", "b/e"])
    HandMadeArchive.write([Entry(name: "data", content: "x")], .raw, .gzip, to: folder(".x.txt.GZ"))
    #expect(try readAll(folder(".x.txt.GZ")).map(\.name) == [".x.txt"])
  }

  @Test func `names in other encodings are read, and shown with what is not UTF-8 escaped`() throws {
    for format in [HandMadeArchive.Format.tar, .zip] {
      HandMadeArchive.write([Entry(name: "cafX.txt", content: "x")], format, .none, to: folder("names"))
      var bytes = try Files.read(folder("names"))
      for i in bytes.indices.dropLast(4) where bytes[i..<i + 4].elementsEqual("cafX".utf8) { bytes[i + 3] = 0xE9 }
      if format == .tar {
        // A header contains the sum of its bytes, in octal.
        bytes.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = bytes[..<512].reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        bytes.replaceSubrange(
          148..<156, with: Array((String(repeating: "0", count: 6 - digits.utf8.count) + digits + "\0 ").utf8))
      }
      try AtomicFile.write(bytes, to: folder("names"))
      #expect(try readAll(folder("names")).map(\.name) == [#"caf\xE9.txt"#])
    }
  }

  /// Messages of the tools: bzip2 1.0.8 "trailing garbage after EOF ignored", xz 5.4 "Compressed data is corrupt", lz4
  /// 1.9 "Stream followed by undecodable data", zstd 1.5 "unsupported format".
  @Test(arguments: HandMadeArchive.Filter.allCases.filter { $0 != .none }, [HandMadeArchive.Format.raw, .tar])
  func `data after the compressed data are refused`(
    filter: HandMadeArchive.Filter, format: HandMadeArchive.Format
  ) throws {
    HandMadeArchive.write([Entry(name: "long.txt", content: long)], format, filter, to: folder("whole"))
    let bytes = try Files.read(folder("whole"))
    var damaged = bytes
    damaged[0] ^= 1
    for more in [Array("garbage that follows".utf8), damaged] {
      try AtomicFile.write(bytes + more, to: folder("more"))
      let failure = #expect(throws: Failure.self) { try readAll(folder("more")) }
      #expect(failure?.status == .badData)
    }
    // lzma has no joined streams.
    try AtomicFile.write(bytes + bytes, to: folder("twice"))
    if filter == .lzma {
      #expect(throws: Failure.self) { try readAll(folder("twice")) }
    } else {
      #expect(try readAll(folder("twice")).map(\.content).joined() == long + long)
    }
  }

  @Test func `joined tar files are read to their end, and other data after a tar file are refused`() throws {
    for (name, content) in [("a", "one"), ("b", "two")] {
      HandMadeArchive.write([Entry(name: name, content: content)], .tar, .none, to: folder(name))
    }
    let (a, b) = (try Files.read(folder("a")), try Files.read(folder("b")))
    try AtomicFile.write(a + b, to: folder("joined"))
    #expect(try readAll(folder("joined")).map(\.content) == ["one", "two"])
    try AtomicFile.write(a + Array("garbage".utf8), to: folder("joined"))
    #expect(throws: Failure.self) { try readAll(folder("joined")) }
  }

  @Test func `the error of a zip without its directory says that it is cut short`() throws {
    HandMadeArchive.write([Entry(name: "long.txt", content: long)], .zip, .none, to: folder("whole"))
    let bytes = try Files.read(folder("whole"))
    // In the entry, and in the directory after all entries.
    for part in [bytes.count / 2, bytes.count / 3, bytes.count - 23, bytes.count - 1] {
      try AtomicFile.write(bytes[..<part], to: folder("cut.zip"))
      let failure = #expect(throws: Failure.self) { try readAll(folder("cut.zip")) }
      #expect(failure?.message.contains("the zip archive has no directory at its end, so it is cut short") == true)
    }
  }

  @Test func `a limit on unpacked bytes stops a bomb while it unpacks`() throws {
    let zeros = String(repeating: "0", count: 5_000_000)
    HandMadeArchive.write([Entry(name: "data", content: zeros)], .raw, .gzip, to: folder("bomb.gz"))
    let bomb = #expect(throws: Failure.self) { try readAll(folder("bomb.gz"), unpackedLimit: 1_000_000) }
    #expect(bomb?.message == "unpacks to more than the limit of 1000000 bytes (in the entry 'bomb')")
    #expect(try readAll(folder("bomb.gz"), unpackedLimit: 5_000_000).count == 1)
  }

  @Test func `the limit counts all entries together, also skipped ones`() throws {
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

  @Test func `the error of a file that cannot be opened gives the reason`() throws {
    let missing = #expect(throws: Failure.self) { try ArchiveReader(folder("missing.tar")) }
    #expect(missing?.status == .missingInput)
    #expect(throws: Failure.self) { try ArchiveReader(folder.path) }
  }

  @Test func `lines are read directly from an archive`() throws {
    HandMadeArchive.write([Entry(name: "a.jsonl", content: "{}\n[1]\n")], .tar, .zstd, to: folder("lines.tar.zst"))
    let entry = try #require(try ArchiveReader(folder("lines.tar.zst")).next())
    var lines = LineReader(entry)
    #expect(try lines.next().map { String(decoding: $0, as: UTF8.self) } == "{}")
    #expect(try lines.next().map { String(decoding: $0, as: UTF8.self) } == "[1]")
    #expect(try lines.next() == nil)
  }
}
