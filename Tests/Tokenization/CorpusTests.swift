import Artifacts
import Diagnostics
import TestSupport
import Testing

@testable import Tokenization

/// Writes down what it receives.
private final class Recorder: DocumentReceiver {
  private(set) var texts: [String] = []
  private(set) var splits: [Split?] = []
  private var open: [UInt8] = []

  func begin(_ split: Split?) {
    splits.append(split)
    open = []
  }
  func append(_ bytes: UnsafeBufferPointer<UInt8>) { open += bytes }
  func end() { texts.append(String(decoding: open, as: UTF8.self)) }
}

@Suite struct CorpusTests {
  private func read(_ paths: [String], field: String = "text", limit: Int? = nil) throws -> Recorder {
    let recorder = Recorder()
    let corpus = try Corpus(paths: paths, textField: field, unpackedLimit: limit, digests: FileDigests())
    try corpus.read(into: recorder)
    return recorder
  }

  private func failure(_ paths: [String], field: String = "text", limit: Int? = nil) -> Failure? {
    do {
      _ = try read(paths, field: field, limit: limit)
      return nil
    } catch { return error as? Failure }
  }

  @Test func `takes a file for one document, in the order of the paths`() throws {
    let folder = try TemporaryFolder()
    try folder.write("second\nline", to: "b.txt")
    try folder.write("first", to: "a.md")
    #expect(try read([folder("b.txt"), folder("a.md")]).texts == ["second\nline", "first"])
  }

  @Test func `takes the files of a folder, sorted, without hidden ones`() throws {
    let folder = try TemporaryFolder()
    for name in ["b.txt", "a/z.txt", "a/y.txt", ".hidden", ".git/config", "B.txt"] { try folder.write(name, to: name) }
    #expect(try read([folder.path]).texts == ["B.txt", "a/y.txt", "a/z.txt", "b.txt"])
  }

  @Test func `takes JSON lines for documents`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"{"id":1,"body":"one\ntwo"}"# + "\n\n" + #"{"body":"three \ud83d\ude00"}"#, to: "x.jsonl")
    #expect(try read([path], field: "body").texts == ["one\ntwo", "three 😀"])
    let wrong = failure([path], field: "bady")
    #expect(wrong?.status == .badData)
    #expect(wrong?.place == "\(path), line 1")
    #expect(wrong?.message.contains("did you mean 'body'?") == true)
    let broken = failure([try folder.write("{\"text\": \"a\"}\n{\"text\": ", to: "broken.jsonl")])
    #expect(broken?.place?.contains("line 2") == true)
  }

  @Test func `reads archives and compressed files as what they hold`() throws {
    let folder = try TemporaryFolder()
    try folder.write("one", to: "in/a.txt")
    try folder.write(#"{"text":"two"}"# + "\n" + #"{"text":"three"}"#, to: "in/b.jsonl")
    try shell("cd \(folder.path)/in && tar czf ../x.tar.gz a.txt b.jsonl && gzip -k b.jsonl && xz -k a.txt")
    #expect(try read([folder("x.tar.gz")]).texts == ["one", "two", "three"])
    #expect(try read([folder("in/b.jsonl.gz"), folder("in/a.txt.xz")]).texts == ["two", "three", "one"])
    try shell("cd \(folder.path)/in && tar cf ../nested.tar a.txt.xz")
    #expect(failure([folder("nested.tar")])?.message.contains("packed once more") == true)
  }

  @Test func `stops at the limit of what a compressed file unpacks to`() throws {
    let folder = try TemporaryFolder()
    try shell("yes | head -c 1000000 | gzip > \(folder("bomb.gz"))")
    #expect(failure([folder("bomb.gz")], limit: 100_000)?.status == .badData)
    #expect(failure([folder("bomb.gz")], limit: 1_000_000) == nil)
  }

  @Test(arguments: ["x.tar", "x.gz", "x.zip", "x.txt.zst"], ["", "<html>404 Not Found</html>", "PK"])
  func `refuses what is not packed, though its name says so`(name: String, content: String) throws {
    let folder = try TemporaryFolder()
    let refused = failure([try folder.write(content, to: name)])
    #expect(refused?.status == .badData && refused?.place == folder(name))
    #expect(refused?.message == "is no archive and not compressed, though its name says so")
  }

  @Test func `says what is missing`() throws {
    let folder = try TemporaryFolder()
    #expect(failure([folder("none.txt")])?.status == .missingInput)
    #expect(failure([folder.path])?.status == .missingInput)
  }

  private let descriptor = """
    name: small
    title: A small set
    licence: none needed
    origin: this test
    files:
      - file: a.txt
        split: test
        bytes: 3
        sha256: 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed
      - file: b.txt
        bytes: 3
        sha256: 3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3

    """

  @Test func `reads the files of a descriptor from its cache, with their splits`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(descriptor, to: "small.yaml")
    try folder.write("one", to: "cache/small/a.txt")
    try folder.write("two", to: "cache/small/b.txt")
    // The digests above are those of "one" and "two".
    let recorder = try read([path])
    #expect(recorder.texts == ["one", "two"])
    #expect(recorder.splits == [.test, nil])
    let corpus = try Corpus(paths: [path], textField: "text", unpackedLimit: nil, digests: FileDigests())
    #expect(corpus.sources == [Corpus.Source(name: "A small set", licence: "none needed", origin: "this test")])
  }

  @Test func `names the command that fetches a data set, and refuses other files than described`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(descriptor, to: "small.yaml")
    let missing = failure([path])
    #expect(missing?.status == .missingInput)
    #expect(missing?.message.contains("scripts/fetch-data \(path)") == true)
    try folder.write("one", to: "cache/small/a.txt")
    try folder.write("tow", to: "cache/small/b.txt")
    #expect(failure([path])?.status == .badData)
  }

  @Test func `refuses descriptors with errors, naming the line`() throws {
    let folder = try TemporaryFolder()
    func message(_ old: String, _ new: String) throws -> Failure? {
      failure([try folder.write(descriptor.replacing(old, with: new), to: "wrong.yaml")])
    }
    #expect(try message("licence", "license")?.message.contains("'licence'") == true)
    #expect(try message("split: test", "split: tset")?.place?.contains("line 7") == true)
    #expect(try message("a.txt", "../a.txt")?.status == .badConfiguration)
    #expect(try message("name: small", "name: ../small")?.status == .badConfiguration)
  }

  private func shell(_ command: String) throws {
    #expect(try runProgram("/bin/sh", ["-ec", command]) == "")
  }

  @Test func `says of a line of JSON what is wrong with it, and where`() throws {
    let folder = try TemporaryFolder()
    func failure(_ line: String) throws -> Failure? {
      self.failure([try folder.write("{\"text\": \"a\"}\n\n\(line)\n", to: "x.jsonl")])
    }
    let place = "\(folder("x.jsonl")), line 3"
    #expect(
      try failure("{\"text\": 3}") == Failure(.badData, "the field 'text' holds an integer, not a text", at: place))
    #expect(try failure("[1]") == Failure(.badData, "is an array, not an object with the field 'text'", at: place))
    #expect(try failure("{}") == Failure(.badData, "has no field 'text'; it has none", at: place))
    #expect(
      try failure("{\"id\": 1, \"body\": \"\"}")
        == Failure(.badData, "has no field 'text'; its fields are 'id', 'body'", at: place))
    #expect(try failure("{\"text\": \"a\"")?.place == place)
  }

  @Test func `refuses what is no text in UTF-8, and lets odd bytes pass`() throws {
    let folder = try TemporaryFolder()
    func problem(_ bytes: [UInt8]) throws -> String? {
      try AtomicFile.write(bytes, to: folder("x.txt"))
      let failure = failure([folder("x.txt")])
      #expect(failure == nil || failure?.status == .badData && failure?.place == folder("x.txt"))
      return failure?.message
    }
    let text = String(repeating: "It is a truth universally acknowledged. Größe 🙂\r\n\t", count: 2000)
    #expect(try problem(Array(text.utf8)) == nil)
    #expect(try problem(Array(text.utf8) + [0, 0xFF, 0xFE]) == nil)
    let wide: [UInt8] =
      [0xFF, 0xFE]
      + text.utf16.flatMap { unit -> [UInt8] in
        [UInt8(truncatingIfNeeded: unit), UInt8(unit >> 8)]
      }
    #expect(try problem(wide)?.contains("looks like UTF-16") == true)
    var random = Splitmix(state: 1)
    let noise = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(try problem(noise)?.hasPrefix("is no text in UTF-8: ") == true)
    #expect(try problem([UInt8](repeating: 0, count: 100)) == "is no text in UTF-8: 100 of its first 100 bytes are not")
    try shell("gzip -k \(folder("x.txt"))")
    #expect(failure([folder("x.txt.gz")])?.place == "\(folder("x.txt.gz")), entry 'x.txt'")
  }

  @Test func `lets compressed texts unpack to as much as texts ever do, unless told otherwise`() {
    #expect(Corpus.plausibleUnpackedSize(packed: 100) == 1 << 30)
    #expect(Corpus.plausibleUnpackedSize(packed: 1 << 30) == 200 << 30)
    #expect(Corpus.plausibleUnpackedSize(packed: .max) == .max)
  }

  @Test(.enabled(if: slowTestsEnabled)) func `stops a file that was made to fill a disk`() throws {
    let folder = try TemporaryFolder()
    try shell("yes | head -c 1100000000 | zstd -q > \(folder("bomb.zst"))")
    #expect(failure([folder("bomb.zst")])?.message.contains("more than the limit of 1073741824 bytes") == true)
  }
}
