import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing
import WireFormats

@testable import Pairs

@Suite struct PairsArtifactTests {
  private static let table = PairTable(
    pictures: [
      PairTable.Picture(source: "a", member: "1.png", split: .train, group: 0, captions: 0..<1),
      PairTable.Picture(source: "a", member: "2.png", split: .test, group: 1, captions: 1..<2),
    ],
    captions: [PairTable.Caption("one", picture: 0, group: 0), PairTable.Caption("two", picture: 1, group: 1)])
  private static let pixels = [UInt8](0..<24)
  private static let sources = [PairSource(name: "a", title: "A", licence: "CC0-1.0", pictures: 2)]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func artifact() throws -> Artifact { try Self.artifact(at: folder("pairs")) }

  static func artifact(at path: String) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-pairs", stage: "pairs", stageVersion: 1, kind: .pairs, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: path, identity: identity)
    try PairsArtifact.write(
      builder, table: table, size: 2, pixels: pixels, sources: sources,
      leftOut: [PairsArtifact.LeftOut(source: "a", member: "3.png", reason: "is empty")])
    return try builder.publish(summary: [:])
  }

  @Test func `pixels are read by position`() throws {
    let artifact = try artifact()
    let pairs = try PairsArtifact(artifact)
    #expect(pairs.table == Self.table)
    #expect(pairs.size == 2)
    #expect(pairs.pixels([1, 0, 1]) == Array(Self.pixels[12...]) + Self.pixels)
    #expect(try pairs.sources(artifact) == Self.sources)
    #expect(
      try text(artifact.file(PairsArtifact.leftOutFile)) == #"{"source":"a","member":"3.png","reason":"is empty"}"#
        + "\n")
  }

  @Test func `a file of pixels that does not fit the table is refused`() throws {
    let artifact = try artifact()
    let path = try artifact.file(PairsArtifact.pixelsFile)
    let whole = try Files.read(path)
    let damages = [Array(whole.dropLast()), whole + [0], Array(whole.prefix(60)), Array(whole.prefix(6)), []]
    for damaged in damages {
      try AtomicFile.write(damaged, to: path)
      #expect(throws: Failure.self) { try PairsArtifact(artifact) }
    }
    try AtomicFile.write(NumpyArray.byteHeader(shape: [3, 2, 2, 3]) + Array(whole.dropFirst(128)), to: path)
    let failure = #expect(throws: Failure.self) { try PairsArtifact(artifact) }
    #expect(failure?.description.contains("[3, 2, 2, 3]") == true)
  }
}
