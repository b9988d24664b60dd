import Artifacts
import Configuration
import Diagnostics
import Files
import JSON
import Pairs
import StageDescriptions
import TestSupport
import Testing

@testable import PairsStage

@Suite(.serialized) struct PairsStageTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func picture(_ name: String) throws -> [UInt8] {
    try Files.read(checkout("Tests/ImageText/Pictures/Fixtures/\(name)"))
  }

  private func write(_ members: [(name: String, content: [UInt8])], to name: String) throws {
    try AtomicFile.write(tarFile(members), to: folder(name))
  }

  /// Emoji in two styles: a picture for each of 40 concepts and styles, those of one concept with one title.
  private func writeEmoji(styles: [String] = ["noto", "emojione"], to name: String = "emoji.tar") throws {
    let files = ["rgba.png", "plain.jpg", "alpha.webp", "palette.png", "grey.png", "transparent.gif"]
    var lines = ""
    var members: [(name: String, content: [UInt8])] = []
    for style in styles {
      for concept in 0..<40 {
        let file = files[concept % files.count]
        let member = "\(style)-\(concept)-\(file)"
        let licence = style == "noto" ? "Apache-2.0" : "CC-BY-SA-4.0"
        lines += """
          {"file_name": "\(member)", "captions": ["thing \(concept)", "a, b, \(concept % 7)"], "concept": "c\(concept)", \
          "style": "\(style)", "class": "class \(concept % 3)", "licence": "\(licence)"}

          """
        members.append((member, try Self.picture(file)))
      }
    }
    try write([("metadata.jsonl", Array(lines.utf8))] + members, to: name)
  }

  private static func resolve(_ settings: [String]) throws -> ResolvedConfiguration<PairsConfiguration> {
    try PairsConfiguration.resolve(file: nil, overrides: settings.map(ConfigurationOverride.init(parsing:)))
  }

  private func request(_ output: String, _ settings: [String], _ sources: [String] = ["emoji.tar"]) throws
    -> StageRequest<MakePairs>
  {
    let source = "source=[\(sources.map { folder($0) }.joined(separator: ", "))]"
    return try StageRequest<MakePairs>(
      Self.resolve([source, "size=16"] + settings), inputs: [:], output: folder(output), digests: .forProgram)
  }

  private func pairs(_ output: String, _ settings: [String], _ sources: [String] = ["emoji.tar"]) throws -> Artifact {
    try PairsStage.run(request(output, settings, sources))
  }

  @Test func `pictures, captions, groups, classes and licences come into the artifact`() throws {
    try writeEmoji()
    let artifact = try pairs("pairs", ["held_out={style: [emojione]}"])
    let pairs = try PairsArtifact(artifact)
    #expect(pairs.size == 16)
    #expect(pairs.table.classes == ["class 0", "class 1", "class 2"])
    let rule = SplitRule(validation: 0.1, test: 0.1, styleTests: [.init(name: "style", styles: ["emojione"])])
    for picture in pairs.table.pictures {
      let concept = try #require(picture.concept)
      #expect(picture.isFree == (picture.style == "noto"))
      #expect(.split(picture.split) == rule.place(concept: concept, style: picture.style) { _ in true })
      #expect(pairs.table.captions[picture.captions.lowerBound].text == "thing \(concept.dropFirst())")
      #expect(picture.captions.count == 2)
    }
    // Six files make all pictures, and two of them hold the same one in different formats.
    #expect(Set(pairs.table.pictures.map(\.group)).count == 5)
    #expect(artifact.summary["equalPictures"]?.intValue == pairs.table.pictures.count - 5)
    let outside = try #require(artifact.summary["outsideSplits"]?.intValue)
    #expect(pairs.table.pictures.count + outside == 80)
    #expect(outside == (0..<40).count { rule.split(ofConcept: "c\($0)") == .test })
    #expect(pairs.pixels([0]).count == 768)
    #expect(try pairs.sources(artifact).map(\.pictures) == [pairs.table.pictures.count])
  }

  @Test func `a test whose source is missing is left out and named`() throws {
    try writeEmoji(styles: ["noto"])
    let artifact = try pairs("pairs", ["held_out={style: [emojione]}"])
    #expect(artifact.summary["splitsWithoutPictures"] == ["style"])
    #expect(try PairsArtifact(artifact).table.pictures.count == 40)
  }

  @Test func `an interrupted run goes on to equal bytes, with any number of threads`() throws {
    try writeEmoji()
    try writeEmoji(styles: ["third", "fourth", "fifth", "sixth"], to: "more.tar")
    let sources = ["emoji.tar", "more.tar"]
    let whole = try contents(pairs("whole", ["threads=1"], sources).path)
    let request = try request("parts", ["threads=3"], sources)
    var asked = 0
    let failure = #expect(throws: Failure.self) {
      try PairsStage.run(request) {
        asked += 1
        return asked == 1
      }
    }
    #expect(failure?.status == .tryAgain)
    // What a killed process had begun to write.
    let lines = folder("parts.partial/checkpoints/samples.jsonl")
    try AtomicFile.write(Files.read(lines) + Array("{\"chunk\":1,\"source\":\"em".utf8), to: lines)
    #expect(try contents(PairsStage.run(request).path) == whole)
    #expect(!Files.exists(folder("parts.partial")))
  }

  @Test func `unusable samples are listed with their reasons, and too many of them are refused`() throws {
    let page = Array("<html>404</html>".utf8)
    let good = try Self.picture("rgb.png")
    let members: [(name: String, content: [UInt8])] = [
      ("0.png", good), ("0.txt", Array("a cat".utf8)), ("1.png", page), ("1.txt", Array("a page".utf8)),
      ("2.png", good),
      ("2.txt", Array(" \n".utf8)), ("3.txt", Array("no picture".utf8)), ("4.png", Array(good.prefix(100))),
      ("4.txt", Array("cut".utf8)), ("5.png", try Self.picture("huge.png")), ("5.txt", Array("huge".utf8)),
    ]
    try write(members, to: "x.tar")
    let splits = ["validation=0", "test=0"]
    let failure = #expect(throws: Failure.self) { try pairs("pairs", splits, ["x.tar"]) }
    #expect(failure?.status == .badData)
    #expect(
      failure?.message.hasPrefix("5 of 6 samples cannot be used, more than left_out_limit = 0.01 allows: ") == true)
    #expect(failure?.message.contains("1 x has no caption (first x: 2.png)") == true)
    #expect(!Files.exists(folder("pairs.partial")))
    let artifact = try pairs("pairs", splits + ["left_out_limit=0.9"], ["x.tar"])
    #expect(
      try text(artifact.file(PairsArtifact.leftOutFile)).split(separator: "\n").map(String.init) == [
        #"{"source":"x","member":"1.png","reason":"the picture is a text like HTML or SVG, not a picture of pixels"}"#,
        #"{"source":"x","member":"2.png","reason":"has no caption"}"#,
        #"{"source":"x","member":"3","reason":"has no picture, only .txt"}"#,
        #"{"source":"x","member":"4.png","reason":"the picture is cut short"}"#,
        #"{"source":"x","member":"5.png","reason":"the picture has 60000 x 60000 pixels, more than the 67108864 that are accepted"}"#,
      ])
    #expect(try PairsArtifact(artifact).table.pictures.count == 1)
  }

  @Test func `the key follows the pictures that a table names, not their place`() throws {
    func key(_ place: String) throws -> String {
      let settings = ["source=[\(folder(place))/x.csv]"]
      return try StageRequest<MakePairs>(
        Self.resolve(settings), inputs: [:], output: folder("out"), digests: .forProgram
      ).key
    }
    for place in ["one", "two"] {
      try folder.write("image,caption\na.png,x\n", to: "\(place)/x.csv")
      try AtomicFile.write(Self.picture("rgb.png"), to: folder("\(place)/a.png"))
    }
    #expect(try key("one") == key("two"))
    try AtomicFile.write(Self.picture("grey.png"), to: folder("two/a.png"))
    #expect(try key("one") != key("two"))
    try Files.remove(folder("two/a.png"))
    #expect(try key("one") != key("two"))
  }

  @Test(arguments: [
    ["held_out={train: [x]}"], ["held_out={a: [x], b: [x]}"], ["validation=0.6", "test=0.5"], ["size=0"],
    ["fit=stretch"],
  ]) func `a configuration that makes no sense is refused`(_ settings: [String]) throws {
    try writeEmoji()
    let failure = #expect(throws: Failure.self) { try request("out", settings) }
    #expect(failure?.status == .badConfiguration)
  }

  @Test func `a result in a folder that is read is refused`() throws {
    try AtomicFile.write(Self.picture("rgb.png"), to: folder("a.png"))
    let failure = #expect(throws: Failure.self) {
      try StageRequest<MakePairs>(
        Self.resolve(["source=[\(folder.path)]"]), inputs: [:], output: folder("out"), digests: .forProgram)
    }
    #expect(failure?.status == .badConfiguration)
  }
}
