import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@testable import Pairs

/// Damaged sources of every form. Pictures are not decoded here; the fuzz tests of Pictures do that.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  /// - Parameter isStrict: whether a sample that is left out counts as refused.
  private static func read(_ path: String, isStrict: Bool = false) throws {
    var options = PairSources.Options()
    options.unpackedLimit = 1 << 22
    let stream = try PairSources([path], options, digests: FileDigests()).reader()
    while let item = try stream.next() {
      if case .leftOut(let sample) = item, isStrict { throw Failure(.badData, sample.reason, at: sample.member) }
      guard case .sample(let sample) = item, case .file(let file) = sample.content else { continue }
      let folder = Files.folder(of: path) + "/"
      let isBelow = file.utf8.starts(with: folder.utf8)
      if !isBelow || file.utf8.firstRange(of: "/../".utf8) != nil { throw Escaped(path: file) }
    }
  }

  private struct Escaped: Error {
    let path: String
  }

  @Test func `webdataset shards`() throws {
    let json = #"{"captions": ["a", "b"], "class": "c", "split": "val"}"#
    let shard = tarFile(["0.jpg": "J", "0.txt": "t", "1.png": "P", "1.json": json, "1.cls": "3", "2.txt": "t"])
    let one = tarFile(["d/a.webp": "W", "d/a.txt": "one\ntwo"])
    try fuzz([shard, one], as: "x.tar") { try Self.read($0) }
  }

  @Test func `imagefolders in archives`() throws {
    let lines = "{\"file_name\": \"a.png\", \"text\": \"one\"}\n{\"file_name\": \"b/c.png\", \"text\": \"two\"}\n"
    try fuzz(
      [
        tarFile(["metadata.jsonl": lines, "a.png": "A", "b/c.png": "B"]),
        tarFile(["metadata.csv": "file_name,text\na.png,\"x,\ny\"\n", "a.png": "A"]),
      ], as: "x.tar"
    ) { try Self.read($0) }
  }

  @Test func `tables`() throws {
    let samples = [
      "filepath\ttitle\na.jpg\tone\nb.jpg\ttwo\n", "image,caption\r\na.jpg,\"x, \"\"y\"\"\nz\"\r\nb.jpg,q\r\n",
    ]
    try fuzz(samples.map { Array($0.utf8) }, as: "x.csv") { try Self.read($0) }
  }

  @Test func `lists, lines and Karpathy's files`() throws {
    let samples = [
      #"[{"image": "a.jpg", "caption": ["one", "two"], "image_id": 4}, {"image": "b.jpg", "caption": "three"}]"#,
      "{\"file_name\": \"c.jpg\", \"text\": \"four\"}\n{\"file_name\": \"d.jpg\", \"text\": \"five\"}\n",
      #"{"x": [1], "images": [{"filepath": "p", "filename": "a.jpg", "sentences": [{"raw": "one"}]}], "y": 2}"#,
    ]
    try fuzz(samples.map { Array($0.utf8) }, as: "x.json") { try Self.read($0) }
  }

  /// One file among others: the damaged one stands in a folder whose other files are sound.
  private static func fuzzOne(
    of files: KeyValuePairs<String, String>, _ name: String
  ) throws {
    let folder = try TemporaryFolder()
    for (other, content) in files { try folder.write(content, to: "set/\(other)") }
    let sample = files.first { $0.key == name }!.value
    let kept = folder("set/\(name)")
    try fuzz([Array(sample.utf8)], as: Files.name(of: name)) { path in
      try Files.link(kept, to: path)
      try read(folder("set"), isStrict: true)
    }
  }

  @Test(arguments: ["a.txt", "b.caption", "b.json"]) func `texts beside pictures`(_ name: String) throws {
    try Self.fuzzOne(
      of: [
        "a.jpg": "A", "a.txt": "one\n", "b.png": "B", "b.caption": "two",
        "b.json": #"{"caption": ["three", "four"], "style": "s", "class": 7, "free": true}"#,
      ], name)
  }

  @Test(arguments: ["metadata.jsonl", "train/metadata.csv"]) func `metadata of imagefolders`(_ name: String) throws {
    try Self.fuzzOne(
      of: [
        "metadata.jsonl": "{\"file_name\": \"a.png\", \"text\": \"one\", \"label\": 3}\n{\"file_name\": \"b.png\"}\n",
        "a.png": "A", "train/metadata.csv": "file_name,text\nd.png,\"fo\nur\"\n", "train/d.png": "D",
      ], name)
  }

  @Test func `names of classes`() throws {
    try Self.fuzzOne(
      of: [
        "classnames.txt": "cat\ndog\n",
        "0.tar": String(decoding: tarFile(["0.jpg": "J", "0.cls": "1\n"]), as: UTF8.self),
      ], "classnames.txt")
  }

  /// img2dataset writes a shard, a table and figures under one number.
  @Test func `folders of img2dataset`() throws {
    let folder = try TemporaryFolder()
    for (name, content) in ["00000_stats.json": "{}", "00000.parquet": "PAR1"] {
      try folder.write(content, to: "set/\(name)")
    }
    let json =
      #"{"url": "http://x", "caption": "one", "key": "000000000", "status": "success", "width": 2, "sha256": "0"}"#
    let shard = tarFile(["000000000.jpg": "J", "000000000.json": json, "000000000.txt": "one", "000000001.json": json])
    let kept = folder("set/00000.tar")
    try fuzz([shard], as: "00000.tar") { path in
      try Files.link(kept, to: path)
      try Self.read(folder("set"))
    }
  }

  private static func packed(_ name: String, _ format: ArchiveWriter.Format, _ members: [(String, String)]) throws
    -> [UInt8]
  {
    let folder = try TemporaryFolder()
    let archive = try ArchiveWriter(folder(name), format)
    for (member, content) in members { try archive.add(member, content) }
    try archive.close()
    return try Files.read(folder(name))
  }

  @Test func `imagefolders in zip files`() throws {
    let members = [("a.png", "A"), ("metadata.jsonl", "{\"file_name\": \"a.png\", \"text\": \"one\"}\n")]
    try fuzz([Self.packed("x.zip", .zip, members)], as: "x.zip") { try Self.read($0) }
  }

  @Test func `compressed shards and tables`() throws {
    let shard = try Self.packed("x.tar.zst", .tarZstandard, [("0.jpg", "J"), ("0.txt", "one"), ("1.png", "P")])
    try fuzz([shard], as: "x.tar.zst") { try Self.read($0) }
    // gzip of "image,caption\na.jpg,one\n", by Python's gzip.compress(..., mtime=0).
    let table: [UInt8] = [
      31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 204, 77, 76, 79, 213, 73, 78, 44, 40, 201, 204, 207, 227, 74, 212, 203, 42,
      72, 215, 201, 207, 75, 229, 2, 0, 1, 58, 228, 186, 24, 0, 0, 0,
    ]
    try fuzz([table], as: "x.csv.gz") { try Self.read($0) }
  }

  /// Some programs write no end mark, so a shard that ends between members is whole. Then the last sample may have no
  /// caption, for which it is left out.
  @Test func `a shard cut at any place is refused, or ends between members`() throws {
    let shard = tarFile(["0.jpg": "J", "0.txt": "t", "1.png": "P", "1.txt": "u"])
    let whole = ["0.jpg=J: t", "1.png=P: u"]
    let beginnings = [[], ["0.jpg=J: "], [whole[0]], [whole[0], "1.png=P: "], whole]
    try truncations(of: shard, as: "x.tar") { beginnings.contains(try lines([$0])) }
  }

  private static let files = [
    PairTable.picturesFile, PairTable.captionsFile, PairTable.classesFile, PairsArtifact.pixelsFile,
    PairsArtifact.sourcesFile,
  ]

  @Test(arguments: files) func `files of the artifact`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let artifact = try PairsArtifactTests.artifact(at: folder("pairs"))
    let file = try artifact.file(name)
    try fuzz([Files.read(file)], as: name) { path in
      try Files.link(file, to: path)
      let pairs = try PairsArtifact(artifact)
      _ = pairs.pixels(pairs.table.pictures.indices).reduce(0) { $0 &+ Int($1) }
      for split in pairs.table.splits { _ = pairs.table.captions(of: split, isFirstOnly: true) }
      _ = try pairs.sources(artifact)
    }
  }

  @Test func `patterns of shards`() throws {
    try fuzz(["a-{000..127}.tar::b{x,y}.tar"].map { Array($0.utf8) }, as: "pattern", times: min(fuzzTimes, 2000)) {
      path in
      _ = try ShardPattern.expanded(text(path))
    }
  }
}
