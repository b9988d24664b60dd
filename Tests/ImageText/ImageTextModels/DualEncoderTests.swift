import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import TestSupport
import Testing
import Torch
import Weights

@testable import ImageTextModels

@Suite struct DualEncoderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let configuration = DualEncoderConfiguration.heads(
    HeadsConfiguration(
      image: TowerRecord("eyes", digest: "12", size: 64, width: 5), text: TowerRecord("words", digest: "34", width: 4),
      hidden: 6, embed: 3, dropout: 0.25))

  static func encoder(seed: UInt64 = 1) -> DualEncoder {
    DualEncoder(configuration, seed: seed, scale: LogitScale(20, from: .learned))
  }

  private func saved(_ encoder: DualEncoder) throws -> Artifact { try Self.saved(encoder, at: folder("encoder")) }

  static func saved(_ encoder: DualEncoder, at path: String) throws -> Artifact {
    let identity = StageIdentity(
      program: "tempnet-contrast", stage: "contrast", stageVersion: 1, kind: .dualEncoder, configuration: [:],
      inputs: [])
    let builder = try ArtifactBuilder(output: path, identity: identity)
    try encoder.save(builder)
    return try builder.publish(summary: [:])
  }

  @Test func `is read as it was saved`() throws {
    let encoder = Self.encoder()
    let read = try DualEncoder.read(saved(encoder))
    #expect(read.configuration == Self.configuration)
    #expect(read.scaleOrigin == .learned)
    #expect(abs(read.scale.value - 20) < 1e-5)
    #expect(read.parameters.map(\.name) == encoder.parameters.map(\.name))
    #expect(read.parameters.map(\.tensor.floats) == encoder.parameters.map(\.tensor.floats))
  }

  @Test func `parameters have the names of a sequence of linear, activation, dropout, linear`() {
    #expect(
      Self.encoder().parameters.map(\.name) == [
        "image_head.0.weight", "image_head.0.bias", "image_head.3.weight", "image_head.3.bias", "text_head.0.weight",
        "text_head.0.bias", "text_head.3.weight", "text_head.3.bias", "logit_scale",
      ])
  }

  @Test func `initial weights depend on the seed alone`() {
    TorchRuntime.seed(5)
    let first = Self.encoder()
    _ = Tensor.normal([100])
    #expect(Self.encoder().parameters.map(\.tensor.floats) == first.parameters.map(\.tensor.floats))
    #expect(Self.encoder(seed: 2).parameters[0].tensor.floats != first.parameters[0].tensor.floats)
  }

  @Test func `rows have unit length and dropout acts in training only`() {
    let encoder = Self.encoder()
    TorchRuntime.seed(3)
    let (pictures, texts) = (Tensor.normal([7, 5]), Tensor.normal([7, 4]))
    for rows in [encoder.images(pictures), encoder.texts(texts)] {
      #expect(rows.shape == [7, 3])
      #expect(rows.norm(-1).floats.allSatisfy { abs($0 - 1) < 1e-6 })
    }
    #expect(encoder.images(pictures).floats == encoder.images(pictures).floats)
    #expect(encoder.images(pictures, training: true).floats != encoder.images(pictures).floats)
  }

  @Test(arguments: [
    ("\"form\": \"heads\"", "\"form\": \"tails\"", "form"), ("\"hidden\": 6", "\"hidden\": 7", "image_head.0.weight"),
    ("\"embed\": 3", "\"embed\": 0", "embed"), ("\"dropout\": 0.25", "\"dropout\": 1.5", "dropout"),
    ("\"learned\"", "\"stolen\"", "scale_from"), ("\"hidden\"", "\"hiden\"", "hid"),
  ]) func `a configuration that does not fit is refused`(_ part: String, _ damage: String, _ word: String) throws {
    let artifact = try saved(Self.encoder())
    let path = try artifact.file(DualEncoder.configurationFile)
    let whole = try text(path)
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    try AtomicFile.write(damaged, to: path)
    let failure = #expect(throws: Failure.self) { try DualEncoder.read(artifact) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true)
  }

  @Test(arguments: ["missing", "more", "infinite", "scale"])
  func `weights that do not fit are refused`(_ damage: String) throws {
    let encoder = Self.encoder()
    let artifact = try saved(encoder)
    var tensors = encoder.parameters.map { (name: $0.name, tensor: $0.tensor) }
    switch damage {
    case "missing": tensors.removeFirst()
    case "more": tensors.append((name: "third", tensor: .ones([2])))
    case "infinite": tensors[0].tensor = tensors[0].tensor / 0
    default: tensors[tensors.count - 1].tensor = Tensor(scalar: 100)
    }
    try SafetensorsWriter.write(tensors, to: try artifact.file(DualEncoder.weightsFile))
    let failure = #expect(throws: Failure.self) { try DualEncoder.read(artifact) }
    #expect(failure?.status == .badData)
  }
}
