import Artifacts
import Configuration
import EncoderDescriptions
import Glibc
import ImageTextModels
import Pairs
import RandomNumbers
import StageDescriptions
import TestSupport
import Torch

@testable import ContrastStage

/// Pairs that never were: a picture's and its captions' embeddings are two views of one concept, with noise.
struct SyntheticPairs {
  var table: PairTable
  let image: Tensor
  let text: Tensor
  static let widths = (image: 12, text: 10)

  /// - Parameters:
  ///   - captions: of each picture.
  ///   - titles: how many different first captions there are; nil: all are different.
  init(_ count: Int, captions: Int = 5, titles: Int? = nil, validation: Int = 24) {
    var random = SplitMix64(seed: 17)
    func noise(_ shape: [Int]) -> Tensor {
      Tensor(
        (0..<shape.reduce(1, *)).map { _ in
          Float((0..<4).reduce(0.0) { sum, _ in sum + Double(random.next() >> 11) * 0x1p-53 - 0.5 } * 1.7)
        }, shape: shape)
    }
    var table = PairTable()
    var firstOfTitle: [Int: Int] = [:]
    for picture in 0..<count {
      let first = table.captions.count
      for index in 0..<captions {
        let position = table.captions.count
        let title = titles.map { picture % $0 }
        let group = index == 0 ? title.map { firstOfTitle[$0, default: position] } ?? position : position
        if index == 0, let title { firstOfTitle[title] = group }
        table.captions.append(PairTable.Caption("caption \(group)", picture: picture, group: group))
      }
      table.pictures.append(
        PairTable.Picture(
          source: "synthetic", member: "\(picture)", split: picture < count - validation ? .train : .validation,
          group: picture, captions: first..<table.captions.count))
    }
    self.table = table
    let concepts = noise([count, 6])
    image = concepts.matmul(noise([6, Self.widths.image])) + noise([count, Self.widths.image]) * 0.3
    let owners = Tensor(table.captions.map(\.picture))
    text =
      concepts.selected(0, indices: owners).matmul(noise([6, Self.widths.text]))
      + noise([table.captions.count, Self.widths.text]) * 0.3
  }

  func embedded(_ dtype: DType = .float32) -> EmbeddedPairs {
    EmbeddedPairs(image: image.to(dtype), text: text.to(dtype), pictures: table.pictures.count)
  }

  func artifact(_ path: String) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-embed", stage: "embed", stageVersion: 1, kind: .embeddings, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: path, identity: identity)
    try EmbeddingsArtifact.write(
      builder, table,
      EmbeddingsDescription(
        .apart, image: TowerRecord("image", width: Self.widths.image),
        text: TowerRecord("text", width: Self.widths.text)),
      image: image, text: text)
    return try builder.publish(summary: [:])
  }
}

/// A configuration from `key=value`.
func configuration(_ settings: [String]) throws -> ResolvedConfiguration<ContrastConfiguration> {
  try ContrastConfiguration.resolve(file: nil, overrides: settings.map(ConfigurationOverride.init(parsing:)))
}
