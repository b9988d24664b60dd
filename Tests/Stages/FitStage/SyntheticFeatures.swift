import Artifacts
import Diagnostics
import Files
import Glibc
import TemperatureSettings
import TestSupport
import Torch

@testable import TempNet

/// Features of a model that never was: hidden states that lie around eight directions, some of which the unembedding
/// turns into sure predictions and some into unsure ones, so that a TempNet has something to find.
struct SyntheticFeatures {
  static let vocabulary = 60
  static let width = 8
  let artifact: Artifact
  /// [V, d] and [V]
  let weight: Tensor
  let bias: Tensor
  /// The hidden states of the validation split, [N, d], and their labels, [N].
  let hidden: Tensor
  let labels: Tensor

  init(in folder: TemporaryFolder, rows: Int = 1500, covering bounds: ClosedRange<Double> = 0.05...6) throws {
    var noise = Waves()
    weight = noise.next([Self.vocabulary, Self.width])
    bias = noise.next([Self.vocabulary]) * 0.5
    let identity = StageIdentity(
      program: "tempnet-features", stage: "features", stageVersion: 1, kind: .features, configuration: [:], inputs: [])
    let builder = try ArtifactBuilder(output: folder("features"), identity: identity)
    let grid = TemperatureGrid(covering: bounds, nodesPerOctave: 8)
    var splits: [(hidden: Tensor, labels: Tensor)] = []
    for (part, rows) in [(FeaturesArtifact.Part.train, rows), (.validation, rows / 3)] {
      let hidden = Self.hidden(rows, &noise)
      let labels = Tensor((0..<rows).map { ($0 * $0 + 3) % Self.vocabulary })
      let table = try FeatureTable(
        builder.path(for: part.file), of: .tokens, rows: rows, width: Self.width, grid: grid, isContinued: false)
      let logits = ProfiledLogits(logits: hidden.linear(weight, bias: bias), labels: labels, grid: grid)
      try table.write(
        hidden: hidden, labels: labels, logits: logits, mean: MeanLogit(weight: weight, bias: bias)(hidden),
        vocabulary: Self.vocabulary, at: 0)
      try table.finish()
      splits.append((hidden, labels))
    }
    try AtomicFile.write(FeaturesDescription.tokens.json.pretty, to: builder.path(for: FeaturesDescription.file))
    try Head.write(weight: weight, bias: bias, to: builder.path(for: FeaturesArtifact.headFile))
    artifact = try builder.publish(summary: [:])
    (hidden, labels) = splits[1]
  }

  /// Directions of lengths 0.5 to 4, with a little of something else in every row.
  private static func hidden(_ rows: Int, _ noise: inout Waves) -> Tensor {
    let length = Tensor((0..<rows).map { Float(0.5 + 0.5 * Double($0 % width)) }, shape: [rows, 1])
    let direction = Tensor(
      (0..<rows * width).map { Float($0 % width == ($0 / width) % width ? 1 : 0) }, shape: [rows, width])
    return direction * length + noise.next([rows, width]) * 0.15
  }
}

/// Numbers that look random and depend on nothing: the fractional parts of a steep sine.
private struct Waves {
  private var count = 0

  mutating func next(_ shape: [Int]) -> Tensor {
    let numbers = (0..<shape.reduce(1, *)).map { _ in
      count += 1
      let value = sin(Double(count) * 12.9898) * 43758.5453
      return Float(3.4 * (value - floor(value)) - 1.7)
    }
    return Tensor(numbers, shape: shape)
  }
}
