import Artifacts
import Configuration
import EncoderDescriptions
import Foundation
import ImageTextModels
import JSON
import Pairs
import RandomNumbers
import StageDescriptions
import TempNet
import TemperatureSettings
import TestSupport
import Torch

@testable import RetrieveStage

/// Invented pairs, and embeddings that know more or less of who belongs to whom.
struct Synthetic {
  let folder: TemporaryFolder
  /// Concepts of two pictures each: 60 of validation, 60 of the test `test`, 60 of training, whose second pictures are
  /// the test `style`.
  let table: PairTable

  static let width = 16

  init() throws {
    folder = try TemporaryFolder()
    var table = PairTable(classes: ["even", "odd"])
    for concept in 0..<180 {
      for picture in 0..<2 {
        let split: PairSplit =
          concept < 60 ? .validation : concept < 120 ? .test : picture == 0 ? .train : PairSplit("style")
        let position = table.pictures.count
        table.pictures.append(
          PairTable.Picture(
            source: "invented", member: "\(concept)-\(picture).png", concept: "concept \(concept)", label: concept % 2,
            licence: picture == 0 ? "CC0-1.0" : "proprietary", isFree: picture == 0, split: split, group: position,
            captions: table.captions.count..<table.captions.count + 1))
        table.captions.append(
          PairTable.Caption("the <\(concept)>, drawn \(picture)", picture: position, group: position))
      }
    }
    self.table = table
  }

  /// Random numbers of roughly normal distribution.
  private struct Noise {
    var generator: SplitMix64
    mutating func next() -> Float {
      Float((0..<6).reduce(0.0) { sum, _ in sum + Double(generator.next() >> 11) / 0x1p53 } - 3)
    }
  }

  /// Embeddings of a training run.
  ///
  /// - Parameters:
  ///   - noise: how far pictures and captions lie from their concept; less is better.
  func embeddings(
    _ loss: String, seed: Int, noise: Float, scale: LogitScale = LogitScale(20, from: .validation),
    settings: [(String, JSON)] = [], table: PairTable? = nil
  ) throws -> String {
    let table = table ?? self.table
    // Concepts are the same for all runs, as pictures are.
    var (concepts, random) = (Noise(generator: SplitMix64(seed: 5)), Noise(generator: SplitMix64(seed: UInt64(seed))))
    let centres = (0..<table.pictures.count).map { _ in (0..<Self.width).map { _ in concepts.next() } }
    func rows(_ count: Int, _ picture: (Int) -> Int) -> Tensor {
      let floats = (0..<count).flatMap { row in centres[picture(row)].map { $0 + noise * random.next() } }
      let rows = Tensor(floats, shape: [count, Self.width])
      return rows / rows.norm(1, keeping: true)
    }
    let configuration = JSON.object(JSONObject([("loss", .string(loss)), ("seed", .integer(seed))] + settings))
    let description = EmbeddingsDescription(
      .joint(scale), image: TowerRecord("eyes", width: Self.width), text: TowerRecord("words", width: Self.width),
      prompts: EmbeddingsDescription.Prompts(classes: ["even", "odd"], templates: ["{}", "a {}"]),
      model: EncoderRecord(key: "k", configuration: configuration))
    let path = folder("\(loss)-\(settings.map { $0.1.compact }.joined())-\(seed)-\(noise)")
    let builder = try ArtifactBuilder(output: path, identity: identity(.embeddings, configuration))
    try EmbeddingsArtifact.write(
      builder, table, description, image: rows(table.pictures.count) { $0 },
      text: rows(table.captions.count) { table.captions[$0].picture }, classText: rows(4) { $0 })
    return try builder.publish(summary: [:]).path
  }

  /// One row of pixels is as good as another.
  ///
  /// - Parameter configuration: that of the stage that made them, as far as it is read.
  func pairs(_ configuration: JSON = [:]) throws -> String {
    let builder = try ArtifactBuilder(output: folder("pairs"), identity: identity(.pairs, configuration))
    let size = 8
    try PairsArtifact.write(
      builder, table: table, size: size,
      pixels: table.pictures.indices.flatMap { [UInt8](repeating: UInt8($0 % 251), count: size * size * 3) },
      sources: [PairSource(name: "invented", title: "Invented", licence: "CC0-1.0", origin: "nowhere")])
    return try builder.publish(summary: [:]).path
  }

  /// A TempNet of the image side with random weights.
  ///
  /// - Parameter embeddings: the path of what it was fitted to; nil where its summary does not say so.
  func tempnet(scale: Double, width: Int = Self.width, embeddings: String? = nil) throws -> String {
    let path = folder("tempnet-\(scale)-\(width)-\(embeddings == nil ? "" : "of")")
    let builder = try ArtifactBuilder(output: path, identity: identity(.tempnet, ["scale": .number(scale)]))
    TorchRuntime.seed(3)
    let network = EmbeddingTemperatureNetwork(
      EmbeddingTempNetSettings(form: .layers, width: width, units: 8, tauMin: 0.02, tauMax: 0.3, rho: 1.5))
    try EmbeddingTempNetFile.write([(.image, network)], to: builder.path(for: EmbeddingTempNetFile.name))
    var summary: JSON = ["scale": .number(scale)]
    summary["embeddings"] = try embeddings.map { .string(try Artifact.open($0).key) }
    return try builder.publish(summary: summary).path
  }

  private func identity(_ kind: ArtifactKind, _ configuration: JSON) -> StageIdentity {
    StageIdentity(
      program: "tempnet-test", stage: "test", stageVersion: 1, kind: kind, configuration: configuration, inputs: [])
  }

  func request(
    _ embeddings: [String], tempnets: [String] = [], pairs: String? = nil, settings: [String] = [],
    output: String = "retrieval"
  ) throws -> StageRequest<Retrieve> {
    try StageRequest<Retrieve>(
      RetrieveConfiguration.resolve(
        file: nil,
        overrides: (["threads=1", "bootstrap.resamples=300"] + settings).map(ConfigurationOverride.init(parsing:))),
      inputs: ["embeddings": embeddings, "tempnet": tempnets, "pairs": pairs.map { [$0] } ?? []],
      output: folder(output),
      digests: .forProgram)
  }

  /// CLIP at two fixed temperatures and learned, and a better loss, three seeds each.
  func study() throws -> [String] {
    try (1...3).flatMap { seed in
      [
        try embeddings(
          "clip", seed: seed, noise: 1.3, scale: LogitScale(100, from: .fixed), settings: [("temperature", 0.01)]),
        try embeddings(
          "clip", seed: seed, noise: 1.1, scale: LogitScale(20, from: .fixed), settings: [("temperature", 0.05)]),
        try embeddings(
          "clip", seed: seed, noise: 1.1001, scale: LogitScale(15, from: .learned),
          settings: [("temperature", "learned")]),
        try embeddings("sogclr", seed: seed, noise: 0.7),
      ]
    }
  }
}
