import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite struct FilesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `files of any size are read back as written`() throws {
    for size in [0, 1, 65_535, 65_536, 65_537, 1_000_003] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let writer = try FileWriter(folder("file"))
      for start in stride(from: 0, to: size, by: 100_001) {
        try writer.write(bytes[start..<min(start + 100_001, size)])
      }
      #expect(writer.position == size)
      try writer.close()
      #expect(try Files.read(folder("file")) == bytes)
    }
  }

  @Test func `a header can be overwritten when the counts are known`() throws {
    let writer = try FileWriter(folder("file"))
    try writer.write(littleEndian: UInt32(0))
    try writer.write("body")
    try withUnsafeBytes(of: UInt32(7).littleEndian) { try writer.overwrite(at: 0, $0) }
    try writer.write("!")
    try writer.close()
    #expect(try Files.read(folder("file")) == [7, 0, 0, 0] + Array("body!".utf8))
  }

  @Test func `writing continues at the end of a partly saved file`() throws {
    let path = try folder.write("saved, and then some", to: "log")
    let writer = try FileWriter(continuing: path, after: 5)
    try writer.write("!")
    try writer.close()
    #expect(try text(path) == "saved!")
    #expect(throws: Failure.self) { try FileWriter(continuing: path, after: 7) }
  }

  @Test func `errors name the file and say what the system says`() throws {
    let missing = #expect(throws: Failure.self) { try Files.read(folder("missing")) }
    #expect(missing?.status == .missingInput)
    #expect(missing?.description == "\(folder("missing")): cannot open: No such file or directory")
    let full = #expect(throws: Failure.self) {
      let writer = try FileWriter("/dev/full")
      try writer.write("x")
      try writer.close()
    }
    #expect(full?.status == .inputOutput)
    #expect(full?.message == "cannot write: No space left on device")
  }

  @Test func `an atomic write replaces a file and leaves nothing beside it`() throws {
    try AtomicFile.write("old", to: folder("file"))
    try AtomicFile.write("new", to: folder("file"))
    #expect(try contents(folder.path) == ["file": Array("new".utf8)])
    try Files.makeFolder(folder("busy/x"))
    #expect(throws: Failure.self) { try AtomicFile.write("new", to: folder("busy")) }
    #expect(try Files.list(folder.path) == ["busy", "file"])
  }

  @Test func `a replacement that fails leaves the file as it was, and nothing beside it`() throws {
    try folder.write("old", to: "file")
    let stop = Failure(.tryAgain, "stop")
    #expect(throws: stop) {
      try AtomicFile.replace(folder("file")) { temporary in
        try AtomicFile.write("half", to: temporary)
        throw stop
      }
    }
    #expect(try contents(folder.path) == ["file": Array("old".utf8)])
  }

  @Test func `folders are made with their parents and removed with their content`() throws {
    try Files.makeFolder(folder("a/b/c"))
    try Files.makeFolder(folder("a/b/c"))
    try folder.write("x", to: "a/b/file")
    try folder.write("kept", to: "kept")
    symlink(folder("kept"), folder("a/link"))
    #expect(try Files.tree(folder.path) == ["a/b/file", "a/link", "kept"])
    try Files.remove(folder("a"))
    try Files.remove(folder("a"))
    #expect(try Files.list(folder.path) == ["kept"])
    #expect(throws: Failure.self) { try Files.makeFolder(folder("kept/inside")) }
  }

  @Test func `a lock has one holder, and names it until release`() throws {
    let path = folder("lock")
    #expect(FileLock.holder(path) == nil)
    let elsewhere = #expect(throws: Failure.self) { try FileLock(folder("missing/lock")) }
    #expect(elsewhere?.status == .inputOutput)
    var lock: FileLock? = try FileLock(path)
    #expect(FileLock.holder(path)?.hasPrefix("process \(getpid()) on ") == true)
    let refused = #expect(throws: Failure.self) { try FileLock(path) }
    #expect(refused?.status == .tryAgain)
    #expect(lock?.path == path)
    lock = nil
    #expect(FileLock.holder(path) == nil)
    #expect(!Files.exists(path))
  }

  @Test func `many tasks get one lock one at a time`() async throws {
    let path = folder("lock")
    let counter = folder("counter")
    try AtomicFile.write("0", to: counter)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<25 {
            let lock = try Self.waitForLock(path)
            let count = try #require(Int(text(counter)))
            try AtomicFile.write("\(count + 1)", to: counter)
            withExtendedLifetime(lock) {}
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try text(counter) == "100")
  }

  private static func waitForLock(_ path: String) throws -> FileLock {
    while true {
      do {
        return try FileLock(path)
      } catch let failure as Failure where failure.status == .tryAgain {
        usleep(500)
      }
    }
  }

  @Test func `a link is replaced in one step and gives its target`() throws {
    #expect(Files.target(ofLink: folder("link")) == nil)
    try Files.link(folder("link"), to: "one")
    try Files.link(folder("link"), to: "two")
    #expect(Files.target(ofLink: folder("link")) == "two")
    #expect(try Files.list(folder.path) == ["link"])
  }

  @Test(arguments: ["a", "a/b.txt", "..a/b..", ".a", "é"])
  func `plain names stay below their folder`(path: String) {
    #expect(Files.isPlainRelative(path))
  }

  @Test(arguments: ["", "/", "/a", "a/", "a//b", ".", "./a", "..", "a/../b", "a\0b"])
  func `names that could leave their folder are not plain`(path: String) {
    #expect(!Files.isPlainRelative(path))
  }

  @Test func `paths are taken apart like dirname and basename do`() {
    #expect(Files.folder(of: "/a/b") == "/a")
    #expect(Files.folder(of: "/a") == "/")
    #expect(Files.folder(of: "a") == ".")
    #expect(Files.name(of: "/a/b") == "b")
    #expect(Files.name(of: "a") == "a")
  }

  @Test func `a mapped file refuses ranges outside it`() throws {
    let path = try folder.write("\u{1}\u{2}\u{3}\u{4}\u{5}", to: "file")
    let file = try MappedFile(path)
    #expect(try file.integer(UInt32.self, at: 1, "count") == 0x0504_0302)
    #expect(try Array(file.bytes(at: 5, count: 0, "nothing")) == [])
    for (offset, count) in [(2, 4), (6, 0), (-1, 1), (0, -1), (.max, 1), (1, .max)] {
      let failure = #expect(throws: Failure.self) { try file.bytes(at: offset, count: count, "the header") }
      #expect(failure?.status == .badData)
      #expect(failure?.message.hasPrefix("the header") == true)
    }
    #expect(try MappedFile(try folder.write("", to: "empty")).count == 0)
    #expect(throws: Failure.self) { try MappedFile(folder.path) }
  }

  @Test func `lines are split at line feeds only and the last may be open`() throws {
    let long = String(repeating: "x", count: 200_000)
    let path = try folder.write("a\r\n\n\(long)\nend", to: "lines")
    var reader = LineReader(try FileReader(path))
    var lines: [String] = []
    while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
    #expect(lines == ["a\r", "", long, "end"])
    #expect(reader.number == 4)
    var closed = LineReader(try FileReader(try folder.write("a\n", to: "closed")))
    #expect(try closed.next() != nil)
    #expect(try closed.next() == nil)
  }

  @Test func `a line beyond the limit is refused with its number`() throws {
    let path = try folder.write("short\n" + String(repeating: "x", count: 300_000), to: "lines")
    var reader = LineReader(try FileReader(path), limit: 100_000)
    _ = try reader.next()
    let failure = #expect(throws: Failure.self) { try reader.next() }
    #expect(failure?.description == "\(path), line 2: longer than 100000 bytes")
  }

  @Test func `a file in the place of a folder is an error`() throws {
    try folder.write("", to: "file")
    for path in ["file", "file/a", "file/a/b"] {
      let failure = #expect(throws: Failure.self) { try Files.makeFolder(folder(path)) }
      #expect(failure == Failure(.outputExists, "is not a folder; a folder is needed here", at: folder("file")))
    }
  }

  @Test func `a file beyond the limit is refused before it is read`() throws {
    let path = try folder.write("12345", to: "file")
    #expect(try Files.read(path, limit: 5) == Array("12345".utf8))
    #expect { try Files.read(path, limit: 4) } throws: { ($0 as? Failure)?.status == .badData }
    // Sparse, so that it needs no space.
    #expect(truncate(path, 1 << 40) == 0)
    #expect { try Files.read(path) } throws: { ($0 as? Failure)?.status == .badData }
  }
}
