import Artifacts
import Files
import TestSupport
import Testing

@testable import Pairs

/// Damaged sources of every form. Pictures are not decoded here; the fuzz tests of Pictures do that.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static func read(_ path: String) throws {
    var options = PairSources.Options()
    options.unpackedLimit = 1 << 22
    let stream = try PairSources([path], options, digests: FileDigests()).reader()
    while let item = try stream.next() {
      guard case .sample(let sample) = item, case .file(let file) = sample.content else { continue }
      if !file.hasPrefix(Files.folder(of: path) + "/") || file.contains("/../") { throw Escaped(path: file) }
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

  @Test func `patterns of shards`() throws {
    try fuzz(["a-{000..127}.tar::b{x,y}.tar"].map { Array($0.utf8) }, as: "pattern", times: min(fuzzTimes, 2000)) {
      path in
      _ = try ShardPattern.expanded(text(path))
    }
  }
}
