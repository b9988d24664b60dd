import Artifacts
import Diagnostics
import Files
import JSON
import RandomNumbers
import TestSupport
import Testing

@testable import Tokenization

/// Records the documents that it receives.
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
  private func read(
    _ paths: [String], field: String = "text", format: TextFormat = .auto, limit: Int? = nil,
    noting findings: CorpusFindings = CorpusFindings()
  ) throws -> Recorder {
    let recorder = Recorder()
    let corpus = try Corpus(
      paths: paths, textField: field, format: format, unpackedLimit: limit, digests: FileDigests())
    try corpus.read(into: recorder, noting: findings)
    return recorder
  }

  private func failure(
    _ paths: [String], field: String = "text", format: TextFormat = .auto, limit: Int? = nil
  ) -> Failure? {
    do {
      _ = try read(paths, field: field, format: format, limit: limit)
      return nil
    } catch { return error as? Failure }
  }

  @Test func `a file is one document, in the order of the paths`() throws {
    let folder = try TemporaryFolder()
    try folder.write("second\nline", to: "b.txt")
    try folder.write("first", to: "a.md")
    #expect(try read([folder("b.txt"), folder("a.md")]).texts == ["second\nline", "first"])
  }

  @Test func `reads the files of a folder, sorted, without hidden ones`() throws {
    let folder = try TemporaryFolder()
    for name in ["b.txt", "a/z.txt", "a/y.txt", ".hidden", ".git/config", "B.txt", "__MACOSX/._B.txt"] {
      try folder.write(name, to: name)
    }
    #expect(try read([folder.path]).texts == ["B.txt", "a/y.txt", "a/z.txt", "b.txt"])
  }

  @Test func `each line of JSON is a document`() throws {
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

  @Test func `reads the entries of archives and compressed files`() throws {
    let folder = try TemporaryFolder()
    try folder.write("one", to: "in/a.txt")
    try folder.write(#"{"text":"two"}"# + "\n" + #"{"text":"three"}"#, to: "in/b.jsonl")
    try shell("cd \(folder.path)/in && tar czf ../x.tar.gz a.txt b.jsonl && gzip -k b.jsonl && xz -k a.txt")
    #expect(try read([folder("x.tar.gz")]).texts == ["one", "two", "three"])
    #expect(try read([folder("in/b.jsonl.gz"), folder("in/a.txt.xz")]).texts == ["two", "three", "one"])
    try shell("cd \(folder.path)/in && tar cf ../nested.tar a.txt.xz")
    #expect(failure([folder("nested.tar")])?.message.contains("packed once more") == true)
  }

  @Test func `stops when a compressed file unpacks to more than the limit`() throws {
    let folder = try TemporaryFolder()
    try shell("yes | head -c 1000000 | gzip > \(folder("bomb.gz"))")
    #expect(failure([folder("bomb.gz")], limit: 100_000)?.status == .badData)
    #expect(failure([folder("bomb.gz")], limit: 1_000_000) == nil)
  }

  @Test(arguments: ["x.tar", "x.gz", "x.zip", "x.txt.zst"], ["", "<html>404 Not Found</html>", "PK"])
  func `refuses a file that is not packed but has the name of a packed one`(name: String, content: String) throws {
    let folder = try TemporaryFolder()
    let refused = failure([try folder.write(content, to: name)])
    #expect(refused?.status == .badData && refused?.place == folder(name))
    #expect(refused?.message == "is neither an archive nor compressed, although its name says so")
  }

  @Test func `names the path that is missing`() throws {
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

  @Test func `names the command that fetches a data set, and refuses files that differ from the description`() throws {
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
    try folder.write("one", to: "cache/small/a.txt")
    try folder.write("two", to: "cache/small/b.txt")
    func message(_ old: String, _ new: String) throws -> Failure? {
      failure([try folder.write(descriptor.replacing(old, with: new), to: "wrong.yaml")])
    }
    #expect(try message("licence", "license")?.message.contains("'licence'") == true)
    #expect(try message("split: test", "split: tset")?.message.contains("the split 'tset'") == true)
    #expect(try message("a.txt", "../a.txt")?.status == .badConfiguration)
    #expect(try message("name: small", "name: ../small")?.status == .badConfiguration)
  }

  private func shell(_ command: String) throws {
    #expect(try runProgram("/bin/sh", ["-ec", command]) == "")
  }

  @Test func `names the fault and the line of JSON`() throws {
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

  @Test func `refuses files that are not UTF-8 text, and accepts a few odd bytes`() throws {
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
    #expect(try problem(wide)?.contains("probably UTF-16, which iconv -f UTF-16") == true)
    var random = SplitMix64(seed: 1)
    let noise = (0..<5000).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(try problem(noise)?.hasPrefix("is not UTF-8 text: ") == true)
    #expect(try problem([UInt8](repeating: 0, count: 100)) == "is not UTF-8 text: 100 of its first 100 bytes are not")
    try shell("gzip -k \(folder("x.txt"))")
    #expect(failure([folder("x.txt.gz")])?.place == "\(folder("x.txt.gz")), entry 'x.txt'")
  }

  @Test func `the default limit on unpacked bytes is 200 times the size, at least 1 GiB`() {
    #expect(Corpus.plausibleUnpackedSize(packed: 100) == 1 << 30)
    #expect(Corpus.plausibleUnpackedSize(packed: 1 << 30) == 200 << 30)
    #expect(Corpus.plausibleUnpackedSize(packed: .max) == .max)
  }

  @Test(.enabled(if: slowTestsEnabled)) func `stops a file that was made to fill a disk`() throws {
    let folder = try TemporaryFolder()
    try shell("yes | head -c 1100000000 | zstd -q > \(folder("bomb.zst"))")
    #expect(failure([folder("bomb.zst")])?.message.contains("more than the limit of 1073741824 bytes") == true)
  }

  // MARK: JSON

  private static let lines = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n"
  private static let array = "[{\"text\": \"one\"},\n {\"text\": \"two\"}]"

  @Test(arguments: ["x.json", "X.JSON", "x.jsonl", "x.ndjson", "x.jsonlines"], [lines, array])
  func `reads JSON as records by its name, as lines or as an array`(name: String, content: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(content, to: name)
    #expect(try read([path]).texts == ["one", "two"])
    #expect(try read([path], format: .text).texts == [content])
    try shell(
      "cd \(folder.path) && tar cf t.tar \(name) && gzip -k \(name) && zstd -q \(name) && mv \(name).gz \(name).GZ")
    for packed in ["t.tar", "\(name).GZ", "\(name).zst"] {
      #expect(try read([folder(packed)]).texts == ["one", "two"])
      #expect(try read([folder(packed)], format: .text).texts == [content])
    }
  }

  @Test func `format json reads any file as records`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Self.lines, to: "part-00000")
    #expect(try read([path]).texts == [Self.lines])
    #expect(try read([path], format: .json).texts == ["one", "two"])
  }

  @Test func `skips a byte order mark before records`() throws {
    let folder = try TemporaryFolder()
    for (index, content) in [Self.lines, Self.array].enumerated() {
      let path = try folder.write("\u{FEFF}" + content, to: "\(index).json")
      #expect(try read([path]).texts == ["one", "two"])
    }
  }

  @Test func `refuses JSON without records, and names a remedy`() throws {
    let folder = try TemporaryFolder()
    func failure(_ content: String) throws -> Failure? { self.failure([try folder.write(content, to: "x.json")]) }
    let object = try failure("{\n  \"text\": \"one\"\n}\n")
    #expect(object?.place == "\(folder("x.json")), line 1" && object?.status == .badData)
    #expect(object?.message.contains("goes on in the next line") == true)
    #expect(object?.message.contains("jq -c . FILE") == true && object?.message.contains("format=text") == true)
    let strings = try failure("[{\"text\": \"one\"}, \"two\"]")
    #expect(strings?.place == "\(folder("x.json")), entry 2")
    #expect(strings?.message.hasPrefix("is a string; an array has to hold objects with the field 'text'") == true)
    #expect(try failure("[[1, 2], [3]]")?.message.hasPrefix("is an array;") == true)
    #expect(try failure("[{\"text\": \"one\"}")?.message.contains("not closed") == true)
    #expect(try failure("[]") == nil)
    #expect(try failure("{\"data\": [1]}")?.message == "has no field 'text'; its fields are 'data'")
  }

  @Test func `finds texts along a path`() throws {
    let folder = try TemporaryFolder()
    func text(_ record: String, _ field: String) throws -> String? {
      try read([try folder.write(record + "\n", to: "x.jsonl")], field: field).texts.first
    }
    let record =
      #"{"message": {"content": "a", "parts": [{"b.c": "d"}, "e"]}, "message.content": "exact", "x": {"": "f"}}"#
    #expect(try text(record, "message.content") == "exact")
    #expect(try text(record, "message.parts.0.b.c") == "d")
    #expect(try text(record, "message.parts.1") == "e")
    #expect(try text(record, "x.") == "f")
    #expect(try text(#"{"message": {"content": "a"}}"#, "message.content") == "a")
    func reason(_ field: String) throws -> String? {
      failure([try folder.write(record + "\n", to: "x.jsonl")], field: field)?.message
    }
    #expect(
      try reason("message.contents")
        == "has no field 'message.contents': 'message' has no 'contents'; did you mean 'content'?")
    #expect(try reason("mesage.content") == "has no field 'mesage.content'; did you mean 'message'?")
    #expect(
      try reason("message.parts.2")
        == "has no field 'message.parts.2': 'message.parts' is an array of 2 elements and has no '2'")
    #expect(
      try reason("message.content.x")
        == "has no field 'message.content.x': 'message.content' holds a string, not an object")
    #expect(try reason("message.parts.0") == "the field 'message.parts.0' holds an object, not a text")
  }

  // MARK: Encodings

  private func summary(_ findings: CorpusFindings) -> JSON { .object(JSONObject(findings.summary)) }

  private func write(_ bytes: [UInt8], _ folder: TemporaryFolder, _ name: String) throws -> String {
    try AtomicFile.write(bytes, to: folder(name))
    return folder(name)
  }

  private static let ascii = Array(String(repeating: "All happy families are alike.\n", count: 100).utf8)

  @Test func `refuses a text with more than one invalid byte in a thousand, wherever they are`() throws {
    let folder = try TemporaryFolder()
    let latin1 = Array("Größe und Höhe, schön für Mädchen\n".unicodeScalars.map { UInt8($0.value) })
    // 6 bytes of 90,000 are accepted, 150 are not, although they are far from the beginning.
    let long = Array(repeating: Self.ascii, count: 30).flatMap { $0 }
    let findings = CorpusFindings()
    let passing = try write(long + latin1, folder, "a.txt")
    #expect(try read([passing], noting: findings).texts.count == 1)
    let expected: JSON = [
      "notUTF8": [
        "texts": 1, "bytes": 6, "replacements": 6,
        "worst": [["name": "a.txt", "size": .integer(long.count + latin1.count), "bytes": 6, "replacements": 6]],
      ]
    ]
    #expect(summary(findings) == expected)
    let many = Array(repeating: latin1, count: 25).flatMap { $0 }
    let refused = failure([try write(long + many, folder, "b.txt")])
    #expect(refused?.status == .badData && refused?.place == folder("b.txt"))
    #expect(refused?.message.hasPrefix("is not UTF-8 text: 150 of its ") == true)
    #expect(
      refused?.message.hasSuffix("it is probably WINDOWS-1252, which iconv -f WINDOWS-1252 -t UTF-8 converts")
        == true)
    // Each member of an archive is checked separately.
    try shell(
      "cd \(folder.path) && mkdir in && cp a.txt in && tar cf t.tar in && cp b.txt in && tar cf u.tar in && gzip -k b.txt"
    )
    #expect(failure([folder("t.tar")]) == nil)
    #expect(failure([folder("u.tar")])?.place == "\(folder("u.tar")), entry 'in/b.txt'")
    #expect(failure([folder("b.txt.gz")])?.message == refused?.message)
  }

  @Test func `three invalid bytes are accepted in any text, a fourth is refused in a short one`() throws {
    let folder = try TemporaryFolder()
    func passes(_ count: Int, after text: [UInt8]) throws -> Bool {
      let odd: [UInt8] = Array(repeating: [0x20, 0xE9], count: count).flatMap { $0 }
      return failure([try write(text + odd, folder, "x.txt")]) == nil
    }
    let short = Array(Self.ascii.prefix(300))
    #expect(try passes(3, after: short) && !passes(4, after: short))
    // 4 of 4,000 are one in a thousand, and accepted; 4 of 3,999 are refused.
    let (most, fewer) = (Array((Self.ascii + Self.ascii).prefix(3992)), Array((Self.ascii + Self.ascii).prefix(3991)))
    #expect(try passes(4, after: most) && !passes(4, after: fewer))
  }

  @Test func `names texts of two encodings, and files that are packed or not text`() throws {
    let folder = try TemporaryFolder()
    let line = "schöne Größe der Bäume für Mädchen\n"
    let mixed = Array(String(repeating: line, count: 50).utf8) + [0xE4, 0x20, 0xF6, 0x20, 0xFC, 0x20, 0xDF, 0x0A]
    #expect(failure([try write(mixed, folder, "x.txt")])?.message.contains("pieced together") == true)
    _ = try write(Array(Self.ascii), folder, "y.txt")
    try shell("cd \(folder.path) && gzip y.txt && mv y.txt.gz z.txt")
    let words = failure([folder("z.txt")])?.message
    #expect(words?.hasSuffix("it is packed by gzip; unpack it, or have the name of a text end in .gz") == true)
  }

  @Test func `names the ten worst texts, and counts all`() throws {
    let folder = try TemporaryFolder()
    for index in 0..<14 {
      let odd: [UInt8] = Array(repeating: [0x20, 0xE9], count: index % 3 + 1).flatMap { $0 }
      try Files.makeFolder(folder("t"))
      _ = try write(Self.ascii + odd, folder, "t/\(index + 10).txt")
    }
    let findings = CorpusFindings()
    _ = try read([folder("t")], noting: findings)
    let found = summary(findings)["notUTF8"]
    #expect(found?["texts"] == 14 && found?["bytes"] == 27 && found?["replacements"] == 27)
    let worst = found?["worst"]?.arrayValue ?? []
    #expect(worst.map { $0["bytes"] } == [3, 3, 3, 3, 2, 2, 2, 2, 2, 1])
    #expect(worst.prefix(2).map { $0["name"] } == ["12.txt", "15.txt"])
  }

  @Test func `a byte order mark stays in a text and is counted, links of archives are counted`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("\u{FEFF}one", to: "in/x.txt")
    try shell("cd \(folder.path) && ln -s x.txt in/l && tar cf t.tar in/x.txt in/l")
    let findings = CorpusFindings()
    #expect(try read([path, folder("t.tar")], noting: findings).texts == ["\u{FEFF}one", "\u{FEFF}one"])
    #expect(summary(findings) == ["byteOrderMarks": 2, "linksPassedOver": 1])
    #expect(summary(CorpusFindings()) == [:])
  }

  @Test func `a folder may have the name of a descriptor`() throws {
    let folder = try TemporaryFolder()
    try folder.write("one", to: "d.yaml/a.txt")
    #expect(try read([folder("d.yaml")]).texts == ["one"])
  }
}
