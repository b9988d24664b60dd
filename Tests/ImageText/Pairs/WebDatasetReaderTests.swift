import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@testable import Pairs

/// The rules are webdataset's (`tariterators.py`); what breaks there is left out here with the reason.
@Suite struct WebDatasetReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ members: KeyValuePairs<String, String>, _ options: PairSources.Options = .init()) throws
    -> [String]
  {
    try lines([folder.write(tarFile(members), to: "a.tar")], options)
  }

  @Test func `adjacent members with one key are a sample`() throws {
    let found = try read([
      "0.jpg": "J", "0.txt": " a cat \n", "d/1.PNG": "P",
      "d/1.json": #"{"caption": "a dog", "class": 7, "license": "MIT"}"#,
    ])
    #expect(found == ["0.jpg=J: a cat", "d/1.png=P: a dog | 7 MIT"])
  }

  @Test func `the key ends at the first point of the base name`() throws {
    let found = try read(["a.b/x.v2.jpg": "J", "a.b/x.txt": "t", "README": "none", "__meta__/y.jpg": "n", "__z__": "n"])
    #expect(found == ["- a.b/x: has no picture, only .v2.jpg, .txt"])
  }

  @Test func `a json member may hold several captions and what is known of the picture`() throws {
    let json = #"{"captions": ["one", " ", "two", "one"], "concept": "c", "style": "s", "split": "val"}"#
    #expect(try read(["0.webp": "W", "0.json": json, "0.txt": "zero"]) == ["0.webp=W: zero / one / two | c s val"])
  }

  @Test func `a text holds one caption, or one in each line`() throws {
    #expect(try read(["0.jpg": "J", "0.txt": "a\nb\n"]) == ["0.jpg=J: a\nb"])
    var options = PairSources.Options()
    options.hasCaptionLines = true
    #expect(try read(["0.jpg": "J", "0.txt": "a\r\n\nb\n"], options) == ["0.jpg=J: a / b"])
  }

  @Test func `half samples, repeated members and keys are left out with the reason`() throws {
    let found = try read([
      "0.jpg": "J", "1.txt": "t", "0.txt": "t", "2.jpg": "J", "2.jpg": "K", "2.txt": "t", "3.jpg": "J", "3.json": "{",
    ])
    #expect(
      found == [
        "0.jpg=J: ", "- 1: has no picture, only .txt",
        "- 0: its key occurred before: keys must be unique, and a sample's members lie side by side",
        "- 2: its member .jpg occurs twice", "- 3: its .json is no object of JSON",
      ])
  }

  @Test func `a text that is not UTF-8 is left out`() throws {
    let tar = tarFile([("0.jpg", [1]), ("0.txt", [0xE9, 0x20])])
    #expect(try lines([folder.write(tar, to: "a.tar")]) == ["- 0: its .txt is not UTF-8"])
  }

  @Test func `a truncated archive ends the reading`() throws {
    let whole = tarFile(["0.jpg": String(repeating: "J", count: 2000), "0.txt": "t"])
    let path = try folder.write(Array(whole.prefix(1500)), to: "a.tar")
    let failure = #expect(throws: Failure.self) { try lines([path]) }
    #expect(failure?.status == .badData)
  }

  @Test(arguments: ["../x.jpg", "/etc/x.jpg", "a/../../x.jpg"]) func `an escaping name is refused`(_ name: String)
    throws
  {
    let path = try folder.write(tarFile([(name, [1])]), to: "a.tar")
    let failure = #expect(throws: Failure.self) { try lines([path]) }
    #expect(failure?.status == .badData)
  }

  @Test func `braces and double colons stand for several shards`() throws {
    for (number, name) in ["s-08", "s-09", "s-10", "t"].enumerated() {
      try folder.write(tarFile(["\(number).jpg": "J", "\(number).txt": "\(name)"]), to: "\(name).tar")
    }
    let pattern = "\(folder.path)/s-{08..10}.tar::\(folder("t.tar"))"
    #expect(try lines([pattern]) == ["0.jpg=J: s-08", "1.jpg=J: s-09", "2.jpg=J: s-10", "3.jpg=J: t"])
    #expect(try PairSources([pattern], digests: FileDigests()).sources.map(\.name) == ["s"])
    #expect(try ShardPattern.expanded("{a,b}{1..2}") == ["a1", "a2", "b1", "b2"])
    let failure = #expect(throws: Failure.self) { try ShardPattern.expanded("{9..1}") }
    #expect(failure?.status == .badConfiguration)
  }

  /// img2dataset writes shards with a table and figures beside each; CLIP_benchmark a folder for each split, and classes.
  @Test func `a folder of shards is read in their order, whatever lies beside them`() throws {
    try folder.write(tarFile(["1.jpg": "J", "1.cls": "1"]), to: "set/test/0.tar")
    try folder.write(tarFile(["0.jpg": "J", "0.cls": "0\n", "2.jpg": "J", "2.cls": "9"]), to: "set/train/0.tar")
    try folder.write("cat\ndog\n", to: "set/classnames.txt")
    try folder.write("{}", to: "set/00000_stats.json")
    try folder.write("PAR1", to: "set/00000.parquet")
    #expect(
      try lines([folder("set")]) == ["1.jpg=J: dog | dog test", "0.jpg=J: cat | cat train", "2.jpg=J:  | 9 train"])
  }
}
