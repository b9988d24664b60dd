import Files
import JSON
import Pairs
import RetrievalEvaluation
import TestSupport
import Testing
import Torch

/// Random cases with ties, and what an independent NumPy form makes of them; see Fixtures/README.md.
struct ReferenceCase: Sendable, CustomTestStringConvertible {
  let json: JSON
  let table: PairTable
  let testDescription: String

  init(_ json: JSON, number: Int) throws {
    self.json = json
    testDescription = "case \(number)"
    let owner = try Self.integers(json, "owner")
    let pictureGroups = try Self.integers(json, "image_group")
    let captionGroups = try Self.integers(json, "text_group")
    var table = PairTable()
    for (caption, picture) in owner.enumerated() {
      table.captions.append(PairTable.Caption("caption \(caption)", picture: picture, group: captionGroups[caption]))
      if picture == table.pictures.count {
        table.pictures.append(
          PairTable.Picture(
            source: "invented", member: "\(picture)", split: .test, group: pictureGroups[picture],
            captions: caption..<caption))
      }
      table.pictures[picture].captions = table.pictures[picture].captions.lowerBound..<caption + 1
    }
    self.table = table
  }

  static func all() throws -> [ReferenceCase] {
    try #require(try file()["cases"]?.arrayValue).enumerated().map { try ReferenceCase($1, number: $0) }
  }

  static func zeroShot() throws -> [JSON] { try #require(try file()["zero_shot"]?.arrayValue) }

  private static func file() throws -> JSON {
    let path = fixture("retrieval.json")
    return try JSON(parsing: Files.read(path), source: path)
  }

  static func integers(_ json: JSON, _ name: String) throws -> [Int] {
    try #require(json[name]?.arrayValue).compactMap(\.intValue)
  }

  static func numbers(_ json: JSON, _ name: String) throws -> [Double] {
    try #require(json[name]?.arrayValue).compactMap(\.doubleValue)
  }

  /// Multiples of a quarter.
  func rows(_ name: String) throws -> Tensor {
    let rows = try #require(json[name]?.arrayValue).map { try #require($0.arrayValue).compactMap(\.intValue) }
    return Tensor(rows.joined().map { Float($0) / 4 }, shape: [rows.count, rows[0].count])
  }

  var set: RetrievalSet { RetrievalSet(table, split: .test, captions: .all, isMerged: false) }

  func scores(_ direction: RetrievalDirection) throws -> ScoreTable {
    let (images, texts) = (try rows("image_rows"), try rows("text_rows"))
    return direction == .imageToText
      ? ScoreTable(queries: images, candidates: texts, first: set.captions.first)
      : ScoreTable(queries: texts, candidates: images, first: set.pictures.first)
  }

  func metrics() throws -> RetrievalMetrics {
    RetrievalMetrics(
      imageToText: DirectionMetrics(try scores(.imageToText), own: set.pictures.own),
      textToImage: DirectionMetrics(try scores(.textToImage), own: set.captions.own))
  }
}
