import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import Pairs
import TestSupport
import Testing
import Torch

@testable import EmbedStage

@Suite struct ReadyTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  private static let pictures: [Float] = [3, 4, 1, 0, 3, 4, 0, 2]
  private static let texts: [Float] = [1, 1, 0, 1, 1, 1, 2, 0, 5, 12]

  private func arrays(_ owners: [Int]? = [3, 0, 2, 1, 0]) throws -> String {
    let images = try workshop.array("images.npy", Self.pictures, width: 2)
    let texts = try workshop.array("texts.npy", owners == nil ? Array(Self.texts.prefix(8)) : Self.texts, width: 2)
    return
      "npy=[\(([images, texts] + (try owners.map { [try workshop.map("map.npy", $0)] } ?? [])).joined(separator: ", "))]"
  }

  @Test func `captions are sorted by their pictures, and equal rows are groups`() throws {
    let embeddings = try EmbeddingsArtifact(workshop.run([arrays()], inputs: [:]))
    #expect(embeddings.space == .apart)
    #expect(embeddings.image.floats == Self.pictures)
    #expect(embeddings.table.captions.map(\.text) == [1, 4, 3, 2, 0].map { "caption \($0)" })
    #expect(embeddings.text.floats == [0, 1, 5, 12, 2, 0, 1, 1, 1, 1])
    #expect(embeddings.table.captions.map(\.picture) == [0, 0, 1, 2, 3])
    #expect(embeddings.table.pictures.map(\.group) == [0, 1, 0, 3])
    #expect(embeddings.table.captions.map(\.group) == [0, 1, 2, 3, 3])
  }

  @Test func `with a scale rows have unit length`() throws {
    let embeddings = try EmbeddingsArtifact(workshop.run([arrays(), "scale=14.5"], inputs: [:]))
    #expect(embeddings.space == .joint(LogitScale(14.5, from: .given)))
    #expect(embeddings.image[0].floats == [0.6, 0.8])
  }

  @Test func `without a map row i belongs to row i`() throws {
    let embeddings = try EmbeddingsArtifact(workshop.run([arrays(nil)], inputs: [:]))
    #expect(embeddings.table.captions.map(\.picture) == [0, 1, 2, 3])
  }

  @Test func `splits follow the shares, equal pictures in one`() throws {
    let rows = (0..<4000).map { Float($0 / 2) }
    let images = try workshop.array("many.npy", rows, width: 1)
    let settings = ["npy=[\(images), \(images)]", "validation=0.2", "test=0.3"]
    let table = try EmbeddingsArtifact(workshop.run(settings, inputs: [:])).table
    let shares = [PairSplit.train, .validation, .test].map { Double(table.pictures(of: $0).count) / 4000 }
    #expect(zip(shares, [0.5, 0.2, 0.3]).allSatisfy { abs($0 - $1) < 0.05 }, "\(shares)")
    #expect((0..<2000).allSatisfy { table.pictures[2 * $0].split == table.pictures[2 * $0 + 1].split })
  }

  @Test(arguments: ["short", "map", "owner", "lonely", "zero", "type", "width", "text", "nan", "wide"])
  func `a hostile array is refused`(_ damage: String) throws {
    var setting = try arrays()
    switch damage {
    case "short": try cut(workshop.folder("texts.npy"), by: 1)
    case "map": setting = try arrays([0, 1, 2, 3])
    case "owner": setting = try arrays([0, 1, 2, 4, 0])
    case "lonely": setting = try arrays([0, 1, 2, 2, 0])
    case "zero": _ = try workshop.array("images.npy", [0, 0, 1, 0, 3, 4, 0, 2], width: 2)
    case "type": _ = try workshop.map("images.npy", [1, 2, 3, 4])
    case "width": _ = try workshop.array("images.npy", Self.pictures + [1, 2, 3, 4], width: 3)
    case "wide": _ = try workshop.array("images.npy", [Float](repeating: 1, count: 4 << 20 + 4), width: 1 << 20 + 1)
    case "text": try workshop.folder.write("not numbers", to: "images.npy")
    default: _ = try workshop.array("images.npy", [.nan, 0, 1, 0, 3, 4, 0, 2], width: 2)
    }
    let failure = #expect(throws: Failure.self) { try workshop.run([setting, "scale=2"], inputs: [:]) }
    #expect(failure?.status == .badData)
  }

  private func cut(_ path: String, by count: Int) throws {
    try AtomicFile.write(Files.read(path).dropLast(count), to: path)
  }
}
