import Artifacts
import EncoderDescriptions
import ImageTextModels
import Pairs
import Pictures
import StageDescriptions
import Torch

@testable import ContrastStage

/// Pictures of a spot on a ground, with captions that name the colours of both and the corner that the spot is in. Those of
/// validation are combinations that training has not.
enum SyntheticPictures {
  static let size = 8
  private static let colours: [(name: String, rgb: [UInt8])] = [
    ("red", [220, 30, 30]), ("green", [30, 200, 40]), ("blue", [30, 40, 220]), ("black", [5, 5, 5]),
    ("white", [250, 250, 250]),
  ]
  private static let corners = ["upper left", "upper right", "lower left", "lower right"]

  /// 80 pictures, of which 64 are trained on; each has two captions.
  static let table: PairTable = {
    var table = PairTable()
    for (position, picture) in pictures.enumerated() {
      let first = table.captions.count
      let (ground, spot) = (colours[picture.ground].name, colours[picture.spot].name)
      for text in [
        "a \(spot) spot \(corners[picture.corner]) on \(ground)", "\(ground) with \(spot) \(corners[picture.corner])",
      ] {
        table.captions.append(PairTable.Caption(text, picture: position, group: table.captions.count))
      }
      table.pictures.append(
        PairTable.Picture(
          source: "synthetic", member: "\(position)", split: position < 64 ? .train : .validation, group: position,
          captions: first..<table.captions.count))
    }
    return table
  }()

  static let pixels: [UInt8] = pictures.flatMap { picture in
    (0..<size * size).flatMap { index in
      let (row, column) = (index / size, index % size)
      let corner = (row < size / 2 ? 0 : 2) + (column < size / 2 ? 0 : 1)
      return colours[corner == picture.corner ? picture.spot : picture.ground].rgb
    }
  }

  /// In an order that spreads the combinations over both splits.
  private static let pictures: [(ground: Int, spot: Int, corner: Int)] = {
    let all = colours.indices.flatMap { ground in
      colours.indices.flatMap { spot in
        ground == spot ? [] : corners.indices.map { (ground: ground, spot: spot, corner: $0) }
      }
    }
    return all.indices.map { all[$0 * 37 % all.count] }
  }()

  static func artifact(_ path: String) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-pairs", stage: "pairs", stageVersion: 1, kind: .pairs, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: path, identity: identity)
    try PairsArtifact.write(builder, table: table, size: size, pixels: pixels)
    return try builder.publish(summary: [:])
  }

  /// Settings of encoders that suit these pictures.
  static let towers = [
    "towers.image.size=8", "towers.image.patch=4", "towers.image.width=24", "towers.image.layers=1",
    "towers.image.heads=2", "towers.text.width=24", "towers.text.layers=1", "towers.text.heads=2",
    "towers.text.vocabulary=300", "towers.text.context=16", "towers.embed=16",
  ]

  static func tokenizer() throws -> CaptionTokenizer {
    try CaptionTokenizer.learned(from: table.captions.map(\.text), size: 300, context: 16, threads: 1)
  }
}
