import Artifacts
import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite struct FileDigestsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Waits until the clock of file times has advanced by at least a tick.
  private func waitForTick() { usleep(20_000) }

  /// Changes the remembered digests so that a test sees whether one was used.
  private func forge(_ cache: String, from old: String, to new: String) throws {
    try AtomicFile.write(try text(cache).replacing(old, with: new), to: cache)
  }

  @Test func `a digest is remembered between runs while the file does not change`() throws {
    let path = try folder.write("one", to: "file")
    let cache = folder("digests.json")
    waitForTick()
    let first = FileDigests(cache: cache)
    let digest = try first.sha256(of: path)
    #expect(digest == SHA256.hex(of: "one"))
    try first.save()

    let forged = String(repeating: "0", count: 64)
    try forge(cache, from: digest, to: forged)
    #expect(try FileDigests(cache: cache).sha256(of: path) == forged)

    waitForTick()
    try folder.write("two", to: "file")
    #expect(try FileDigests(cache: cache).sha256(of: path) == SHA256.hex(of: "two"))
  }

  @Test func `a change that keeps size and modification time is noticed`() throws {
    let path = try folder.write("one", to: "file")
    waitForTick()
    let digests = FileDigests()
    _ = try digests.sha256(of: path)
    let old = try #require(try Files.status(path))
    waitForTick()
    let writer = try FileWriter(path)
    try writer.write("two")
    try writer.close()
    let time = timespec(tv_sec: old.modified / 1_000_000_000, tv_nsec: old.modified % 1_000_000_000)
    #expect(utimensat(AT_FDCWD, path, [time, time], 0) == 0)
    #expect(try Files.status(path)?.modified == old.modified)
    #expect(try digests.sha256(of: path) == SHA256.hex(of: "two"))
  }

  @Test func `a file as young as its hashing is not remembered`() throws {
    let cache = folder("digests.json")
    let digests = FileDigests(cache: cache)
    let writer = try FileWriter(folder("file"))
    // A time in the future simulates a change within the same tick.
    try writer.close()
    let future = timespec(tv_sec: time(nil) + 1000, tv_nsec: 0)
    #expect(utimensat(AT_FDCWD, folder("file"), [future, future], 0) == 0)
    _ = try digests.sha256(of: folder("file"))
    try digests.save()
    #expect(!Files.exists(cache))
  }

  @Test(arguments: ["", "{", "[]", "{\"version\": 9, \"files\": {}}", "{\"version\": 1, \"files\": {\"a\": {}}}"])
  func `a broken cache is replaced by an empty one`(broken: String) throws {
    let path = try folder.write("one", to: "file")
    let cache = try folder.write(broken, to: "digests.json")
    waitForTick()
    let digests = FileDigests(cache: cache)
    #expect(try digests.sha256(of: path) == SHA256.hex(of: "one"))
    try digests.save()
    #expect(try text(cache).contains(SHA256.hex(of: "one")))
  }

  @Test func `two caches that save to one file keep each other's entries`() throws {
    let cache = folder("digests.json")
    let (first, second) = (FileDigests(cache: cache), FileDigests(cache: cache))
    for name in ["one", "two"] { try folder.write(name, to: name) }
    waitForTick()
    _ = try first.sha256(of: folder("one"))
    _ = try second.sha256(of: folder("two"))
    try first.save()
    try second.save()
    for name in ["one", "two"] { #expect(try text(cache).contains(SHA256.hex(of: name))) }
  }

  @Test func `a relative path is remembered as the absolute file`() throws {
    let cache = folder("digests.json")
    let name = ".relative-\(getpid())"
    try AtomicFile.write("one", to: name)
    defer { try? Files.remove(name) }
    waitForTick()
    let digests = FileDigests(cache: cache)
    _ = try digests.sha256(of: name)
    try digests.save()
    #expect(try text(cache).contains("/\(name)\""))
  }

  @Test func `deleted files are removed from the cache`() throws {
    let cache = folder("digests.json")
    let digests = FileDigests(cache: cache)
    for name in ["gone", "kept"] { try folder.write(name, to: name) }
    waitForTick()
    for name in ["gone", "kept"] { _ = try digests.sha256(of: folder(name)) }
    try Files.remove(folder("gone"))
    try digests.save()
    #expect(try text(cache).contains("kept"))
    #expect(!(try text(cache).contains("gone")))
  }

  @Test func `a folder's digest changes with every name and content in it`() throws {
    let digests = FileDigests()
    var seen: Set<String> = []
    try folder.write("x", to: "corpus/a/one")
    seen.insert(try digests.sha256(ofTree: folder("corpus")))
    try folder.write("y", to: "corpus/two")
    seen.insert(try digests.sha256(ofTree: folder("corpus")))
    try Files.rename(folder("corpus/two"), to: folder("corpus/three"))
    seen.insert(try digests.sha256(ofTree: folder("corpus")))
    try folder.write("z", to: "corpus/three")
    seen.insert(try digests.sha256(ofTree: folder("corpus")))
    #expect(seen.count == 4)
    #expect(try digests.sha256(ofTree: folder("corpus/three")) == SHA256.hex(of: "z"))
    #expect(throws: Failure.self) { try digests.sha256(ofTree: folder("missing")) }
  }

  @Test func `pipes and devices are not digested`() throws {
    #expect(mkfifo(folder("pipe"), 0o600) == 0)
    for path in [folder("pipe"), "/dev/null"] {
      #expect { try FileDigests().sha256(of: path) } throws: {
        ($0 as? Failure) == Failure(.badData, "is not a regular file", at: path)
      }
    }
  }
}
