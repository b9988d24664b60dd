import Artifacts
import Diagnostics
import Files
import JSON
import TestSupport
import Testing

@testable import Pairs

@Suite struct PairTableTests {
  private static let table = PairTable(
    pictures: [
      PairTable.Picture(
        source: "noto", member: "a.png", concept: "1f600", style: "noto", label: 1, licence: "Apache-2.0", isFree: true,
        split: .train, group: 0, captions: 0..<2),
      PairTable.Picture(source: "noto", member: "b.png", split: PairSplit("style"), group: 0, captions: 2..<3),
    ],
    captions: [
      PairTable.Caption("a face", picture: 0, group: 0), PairTable.Caption("grin \"quoted\"", picture: 0, group: 1),
      PairTable.Caption("a face", picture: 1, group: 0),
    ], classes: ["signs", "people"])

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func artifact() throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-pairs", stage: "pairs", stageVersion: 1, kind: .pairs, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: folder("pairs"), identity: identity)
    try Self.table.write(builder)
    return try builder.publish(summary: [:])
  }

  @Test func `is read as it was written`() throws {
    #expect(try PairTable(artifact()) == Self.table)
  }

  @Test(arguments: [
    (PairTable.picturesFile, "\"label\":1", "\"label\":2", "line 1"),
    (PairTable.picturesFile, "\"group\":0,\"captions\":1", "\"group\":2,\"captions\":1", "line 2"),
    (PairTable.picturesFile, "\"captions\":2", "\"captions\":0", "line 1"),
    (PairTable.captionsFile, "\"picture\":1", "\"picture\":0", "line 3"),
    (PairTable.captionsFile, "\"picture\":0,\"group\":1", "\"picture\":0,\"group\":7", "line 2"),
  ]) func `a position that leads nowhere is refused with its line`(
    _ file: String, _ part: String, _ damage: String, _ place: String
  ) throws {
    let artifact = try artifact()
    let path = try artifact.file(file)
    let whole = try text(path)
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    try AtomicFile.write(damaged, to: path)
    let failure = #expect(throws: Failure.self) { try PairTable(artifact) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(place) == true)
  }

  @Test func `splits come in their order`() {
    #expect(Self.table.splits == [.train, PairSplit("style")])
    #expect(
      [PairSplit("b"), .test, PairSplit("a"), .validation, .train].sorted().map(\.name)
        == ["train", "validation", "test", "a", "b"])
    #expect(Self.table.captions(of: .train, isFirstOnly: true) == [0])
  }
}
