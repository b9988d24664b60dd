import Artifacts
import Configuration
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import Pairs
import Pictures
import StageDescriptions
import TestSupport
import Torch
import Weights

@testable import ExportStage

/// Small dual encoders, and what belongs to them.
final class EncoderWorkshop {
  static let towerFolders = [
    "image_tower=\(checkout("Tests/ImageText/ImageTextModels/Fixtures/efficientnet"))",
    "text_tower=\(checkout("Tests/ImageText/ImageTextModels/Fixtures/sentences"))",
  ]
  static let captions = [
    "a cat", "grinning face with big eyes", "person, medium skin tone",
    "a caption that goes on beyond what fits in so small a context", "<|endoftext|> spelt in the middle", "naïve café",
  ]

  let folder: TemporaryFolder
  var captionsPath: String { folder("captions.json") }

  init() throws {
    folder = try TemporaryFolder()
    try AtomicFile.write(JSON.array(Self.captions.map(JSON.string)).compact, to: captionsPath)
  }

  // MARK: - Artifacts

  private func artifact(
    _ name: String, _ kind: ArtifactKind, _ configuration: JSON = [:], inputs: [InputReference] = [],
    _ write: (ArtifactBuilder) throws -> Void
  ) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-test", stage: "test", stageVersion: 1, kind: kind, configuration: configuration, inputs: inputs)
    let builder = try ArtifactBuilder(output: folder(name), identity: identity)
    if let artifact = builder.alreadyDone { return artifact }
    try write(builder)
    return try builder.publish(summary: [:])
  }

  /// With weights far from the initial ones, so that a mistake anywhere shows.
  private func saved(_ encoder: DualEncoder, _ name: String, inputs: [InputReference] = []) throws -> Artifact {
    TorchRuntime.seed(8)
    for parameter in encoder.encoderParameters {
      parameter.tensor.add(.normal(parameter.tensor.shape, standardDeviation: 0.2))
    }
    return try artifact(name, .dualEncoder, inputs: inputs) { try encoder.save($0) }
  }

  /// An encoder of its own towers.
  func towers(
    _ scale: LogitScale = LogitScale(1 / 0.07, from: .learned), trainedOn pairs: String? = nil,
    activation: TowersConfiguration.Activation = .gelu
  ) throws -> Artifact {
    let tokenizer = try CaptionTokenizer.learned(
      from: Self.captions + (0..<50).map { "a picture of thing number \($0)" }, size: 290, context: 10, threads: 1)
    let configuration = try TowersConfiguration(
      vision: .init(
        size: 16, patch: 8, width: 8, layers: 2, heads: 2,
        block: .init(activation: activation, feedForward: 20, normEpsilon: 1e-3)),
      text: .init(
        vocabulary: tokenizer.vocabularySize, context: 10, width: 12, layers: 2, heads: 3,
        block: .init(activation: activation, feedForward: 48)), embed: 6,
      mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)
    let encoder = DualEncoder(.towers(configuration), seed: 1, scale: scale, captionTokenizer: tokenizer)
    return try saved(
      encoder, "towers", inputs: pairs.map { [InputReference(name: "pairs", kind: "pairs", key: $0)] } ?? [])
  }

  /// Heads on towers that are nowhere.
  func heads() throws -> Artifact {
    let heads = HeadsConfiguration(
      image: TowerRecord("eyes", digest: "aa", size: 16, width: 5), text: TowerRecord("words", digest: "bb", width: 4),
      hidden: 7, embed: 6, dropout: 0.25)
    return try saved(DualEncoder(.heads(heads), seed: 3, scale: LogitScale(20, from: .fixed)), "heads")
  }

  /// Heads on the small towers of the fixtures, and a file with their rows.
  func headsOnTowers() throws -> (Artifact, rows: String) {
    let request = try request("onnx", [:], Self.towerFolders, "unused")
    let folders = Self.towerFolders.map { String($0.split(separator: "=")[1]) }
    let image = try FrozenImageTower(folders[0], size: 25, device: .cpu)
    let text = try FrozenTextTower(folders[1], limit: nil, device: .cpu, computeType: .float32)
    let heads = HeadsConfiguration(
      image: image.record(digest: request.digest(of: .image)), text: text.record(digest: request.digest(of: .text)),
      hidden: 7, embed: 6, dropout: 0.25)
    let model = try saved(DualEncoder(.heads(heads), seed: 3, scale: LogitScale(20, from: .fixed)), "on-towers")
    let encoder = try DualEncoder.read(model)
    return try withoutGradients {
      let pictures = image.transform(Self.pixels(side: 25), side: 25)
      try SafetensorsWriter.write(
        [
          ("pixels", pictures), ("image_rows", encoder.images(image(pictures))),
          ("text_rows", encoder.texts(text(Self.captions.map(text.tokens)))),
        ], to: folder("ours.safetensors"))
      return (model, folder("ours.safetensors"))
    }
  }

  /// A file with an encoder's rows of the pictures and captions.
  func rows(of encoder: DualEncoder) throws -> String {
    try withoutGradients {
      let pictures = encoder.transform!(Self.pixels(side: 16), side: 16)
      let ids = Self.captions.map(encoder.captionTokenizer!.encode)
      try SafetensorsWriter.write(
        [
          ("pixels", pictures), ("image_rows", encoder.images(pictures)),
          ("text_rows", encoder.texts(CaptionTokenizer.padded(ids))), ("scale", encoder.logitScale),
        ], to: folder("ours.safetensors"))
    }
    return folder("ours.safetensors")
  }

  private static func pixels(side: Int) -> [UInt8] {
    (0..<5 * side * side * 3).map { (place: Int) -> UInt8 in
      let value: Int = place * 7 + (place / 31) * 13 + (place / 400) * 57
      return UInt8(value % 256)
    }
  }

  func pairs(fit: String) throws -> Artifact {
    let table = PairTable(
      pictures: [
        PairTable.Picture(source: "drawn", member: "0", label: nil, split: .train, group: 0, captions: 0..<1)
      ], captions: [PairTable.Caption("a cat", picture: 0, group: 0)], classes: [])
    return try artifact("pairs", .pairs, ["fit": .string(fit)]) { builder in
      try PairsArtifact.write(
        builder, table: table, size: 4, pixels: [UInt8](repeating: 9, count: 48),
        sources: [PairSource(name: "drawn", licence: "CC0-1.0", pictures: 1)])
    }
  }

  func retrieval(pictures: String) throws -> Artifact {
    try artifact("retrieval", .retrieval, ["report": ["pictures": .string(pictures)]]) { builder in
      for (name, text) in [("metrics.json", "{}"), ("report.html", "a report")] {
        try AtomicFile.write(text, to: builder.path(for: name))
      }
    }
  }

  // MARK: - Exports

  private func request(
    _ format: String, _ inputs: [String: Artifact], _ settings: [String], _ output: String
  ) throws -> StageRequest<Export> {
    let configuration = try ExportConfiguration.resolve(
      file: nil, overrides: (["format=\(format)"] + settings).map(ConfigurationOverride.init(parsing:)))
    // The towers' digests are asked for before there is a model.
    let paths = inputs.isEmpty ? ["model": [try heads().path]] : inputs.mapValues { [$0.path] }
    return try StageRequest<Export>(configuration, inputs: paths, output: folder(output), digests: .forProgram)
  }

  func export(
    _ format: String, _ model: Artifact, inputs: [String: Artifact] = [:], settings: [String] = [],
    output: String? = nil
  ) throws -> Artifact {
    let inputs = inputs.merging(["model": model]) { $1 }
    return try ExportStage.run(request(format, inputs, settings, output ?? "export-\(format)"))
  }

  /// The members of a bundle by their names in its folder.
  func bundle(
    _ model: Artifact, inputs: [String: Artifact] = [:], output: String? = nil
  ) throws -> [String: [UInt8]] {
    let export = try export("bundle", model, inputs: inputs, output: output)
    let archive = try ArchiveReader(export.file("dual-encoder-bundle.tar.zst"))
    var members: [String: [UInt8]] = [:]
    while let entry = try archive.next() {
      var content: [UInt8] = []
      while case let bytes = try entry.read(upTo: 1 << 16), !bytes.isEmpty { content += bytes }
      members[Files.name(of: entry.entryName)] = content
    }
    return members
  }

  func json(_ name: String, of export: Artifact) throws -> JSON {
    try JSON(parsing: text(name, of: export), source: name)
  }

  func text(_ name: String, of export: Artifact) throws -> String {
    String(decoding: try Files.read(export.file(name)), as: UTF8.self)
  }
}
