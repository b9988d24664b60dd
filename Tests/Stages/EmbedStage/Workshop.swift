import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import Pairs
import StageDescriptions
import TestSupport
import Torch
import WireFormats

@testable import EmbedStage

/// A folder with a few pairs: two equal pictures, two equal captions, classes.
final class Workshop {
  static let size = 16
  static let towers = [
    "image_tower=\(checkout("Tests/ImageText/ImageTextModels/Fixtures/efficientnet"))",
    "text_tower=\(checkout("Tests/ImageText/ImageTextModels/Fixtures/sentences"))",
  ]
  static let imageWidth = 12
  static let textWidth = 24

  let folder: TemporaryFolder
  let pixels: [UInt8]
  private(set) var pairs: Artifact!

  init() throws {
    folder = try TemporaryFolder()
    let length = Self.size * Self.size * 3
    var pixels: [UInt8] = []
    for picture in 0..<5 {
      for place in 0..<length {
        let value = place * (picture * 7 + 3) + place / 48 * 11 + picture * 50
        pixels.append(UInt8(value % 256))
      }
    }
    pixels.replaceSubrange(3 * length..<4 * length, with: pixels[length..<2 * length])
    self.pixels = pixels
    pairs = try artifact("pairs", .pairs) { builder in
      try PairsArtifact.write(builder, table: Self.table, size: Self.size, pixels: pixels)
    }
  }

  static let table: PairTable = {
    let pictures: [(group: Int, captions: Range<Int>)] = [(0, 0..<2), (1, 2..<3), (2, 3..<4), (1, 4..<6), (4, 6..<7)]
    let captions: [(text: String, picture: Int, group: Int)] = [
      ("a cat", 0, 0), ("grinning face with big eyes", 0, 1), ("a cat", 1, 0), ("person, medium skin tone", 2, 3),
      ("thumbs up", 3, 4), ("red heart", 3, 5), ("a long text about many things and more", 4, 6),
    ]
    return PairTable(
      pictures: pictures.enumerated().map { position, entry in
        PairTable.Picture(
          source: "drawn", member: "\(position)", label: position % 2, split: position == 2 ? .validation : .train,
          group: entry.group, captions: entry.captions)
      },
      captions: captions.map { PairTable.Caption($0.text, picture: $0.picture, group: $0.group) },
      classes: ["animals", "people"])
  }()

  func artifact(_ name: String, _ kind: ArtifactKind, _ write: (ArtifactBuilder) throws -> Void) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-test", stage: "test", stageVersion: 1, kind: kind, configuration: ["name": .string(name)],
      inputs: [])
    let builder = try ArtifactBuilder(output: folder(name), identity: identity)
    try write(builder)
    return try builder.publish(summary: [:])
  }

  /// Runs the stage; with an encoder or arrays in place of towers, `settings` name none.
  func run(
    _ settings: [String], inputs: [String: Artifact]? = nil, output: String = "embeddings",
    isInterrupted: () throws -> Bool = { false }
  ) throws -> Artifact {
    let configuration = try EmbedConfiguration.resolve(
      file: nil,
      overrides: (["compute=float32", "device=cpu", "threads=1"] + settings).map(ConfigurationOverride.init(parsing:)))
    let paths = (inputs ?? ["pairs": pairs]).mapValues { [$0.path] }
    return try EmbedStage.run(
      StageRequest(configuration, inputs: paths, output: folder(output), digests: FileDigests()),
      isInterrupted: isInterrupted)
  }

  /// Writes a `.npy` file of float32 rows.
  func array(_ name: String, _ rows: [Float], width: Int) throws -> String {
    let bytes = NumpyArray.floatHeader(shape: [rows.count / width, width]) + rows.withUnsafeBytes { Array($0) }
    try AtomicFile.write(bytes, to: folder(name))
    return folder(name)
  }

  /// Writes a `.npy` file of whole numbers.
  func map(_ name: String, _ owners: [Int]) throws -> String {
    var bytes = NumpyArray.floatHeader(shape: [owners.count])
    let type = bytes.firstRange(of: Array("<f4".utf8))!
    bytes.replaceSubrange(type, with: Array("<i8".utf8))
    try AtomicFile.write(bytes + owners.withUnsafeBytes { Array($0) }, to: folder(name))
    return folder(name)
  }
}
