import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Pictures
import TestSupport
import Testing
import Tokenization
import Torch
import Weights

@testable import ImageTextModels

@Suite struct OwnTowersTests {
  private let folder = try! TemporaryFolder()

  private static func small(vocabulary: Int = 40, dropout: Double = 0) throws -> TowersConfiguration {
    try TowersConfiguration(
      vision: .init(size: 16, patch: 8, width: 8, layers: 2, heads: 2),
      text: .init(vocabulary: vocabulary, context: 10, width: 12, layers: 2, heads: 3), embed: 6, dropout: dropout,
      mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)
  }

  private static func difference(_ a: Tensor, _ b: Tensor) -> Double { (a - b).abs().reshaped([-1]).maximum(0).item }

  @Test func `embeddings and gradients are those of the PyTorch form`() throws {
    let configuration = try Self.small()
    let weights = try SafetensorsFile(fixture("towers/model.safetensors"))
    #expect(Set(weights.entries.map(\.name)) == Set(configuration.parameters.map(\.name)))
    let tensors = TowerTensors(
      try configuration.parameters.map {
        NamedTensor($0.name, try Tensor(weights.entry($0.name, shape: $0.shape)).requiringGradient())
      })
    let vision = VisionTransformer(configuration.vision, tensors)
    let text = TextTransformer(configuration.text, tensors, device: .cpu)
    let cases = try SafetensorsFile(fixture("towers/cases.safetensors"))
    func given(_ name: String) throws -> Tensor { try Tensor(cases.entry(name)) }
    let (images, texts) = (
      vision(try given("pixels"), computeType: .float32).unitRows(),
      text(try given("ids"), computeType: .float32).unitRows()
    )
    #expect(Self.difference(images.detached(), try given("image")) < 1e-5)
    #expect(Self.difference(texts.detached(), try given("text")) < 1e-5)

    ((images * (try given("image_factor"))).sum() + (texts * (try given("text_factor"))).sum()).backward()
    let gradients = try SafetensorsFile(fixture("towers/gradients.safetensors"))
    for parameter in tensors.list {
      let expected = try Tensor(gradients.entry(parameter.name))
      let found = try #require(parameter.tensor.gradient, "\(parameter.name)")
      let scale = max(1, expected.abs().reshaped([-1]).maximum(0).item)
      #expect(Self.difference(found, expected) < 1e-5 * scale, "\(parameter.name)")
    }
  }

  @Test func `what stands after the end mark makes no difference`() throws {
    let configuration = try Self.small()
    let text = TextTransformer(configuration.text, TowerTensors(configuration, seed: 1), device: .cpu)
    withoutGradients {
      let short = text(Tensor([3, 7, 39], shape: [1, 3]), computeType: .float32)
      let long = text(Tensor([3, 7, 39, 0, 0, 5], shape: [1, 6]), computeType: .float32)
      #expect(Self.difference(short, long) < 1e-6)
    }
  }

  @Test func `initial weights are spread as open_clip's`() throws {
    let path = fixture("towers/initial.json")
    let expected = try #require(try JSON(parsing: Files.read(path), source: path).objectValue)
    let configuration = try TowersConfiguration(
      vision: .init(size: 64, patch: 16, width: 128, layers: 3, heads: 2),
      text: .init(vocabulary: 500, context: 32, width: 96, layers: 2, heads: 3), embed: 96,
      mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)
    let tensors = TowerTensors(configuration, seed: 7)
    #expect(Set(tensors.list.map(\.name)) == Set(expected.keys))
    for parameter in tensors.list {
      let entry = try #require(expected[parameter.name])
      #expect(entry["shape"]?.arrayValue?.compactMap(\.intValue) == parameter.tensor.shape, "\(parameter.name)")
      let (mean, deviation) = (try #require(entry["mean"]?.doubleValue), try #require(entry["deviation"]?.doubleValue))
      let values = parameter.tensor.doubles
      let found = values.reduce(0, +) / Double(values.count)
      let spread = (values.map { ($0 - found) * ($0 - found) }.reduce(0, +) / Double(max(1, values.count - 1)))
        .squareRoot()
      // Five standard errors of both draws.
      let share = 5 * 2 / Double(values.count).squareRoot()
      #expect(abs(spread - deviation) <= share * deviation, "\(parameter.name): \(spread) \(deviation)")
      #expect(abs(found - mean) <= share * max(deviation, spread), "\(parameter.name)")
    }
  }

  private static let captions = (0..<200).map { "a picture of thing number \($0), red and blue" }

  static func encoder(dropout: Double = 0) throws -> DualEncoder {
    let tokenizer = try CaptionTokenizer.learned(from: captions, size: 300, context: 10, threads: 1)
    return DualEncoder(
      .towers(try small(vocabulary: tokenizer.vocabularySize, dropout: dropout)), seed: 1,
      scale: LogitScale(1 / 0.07, from: .learned),
      captionTokenizer: tokenizer)
  }

  private func saved(_ encoder: DualEncoder) throws -> Artifact {
    try DualEncoderTests.saved(encoder, at: folder("encoder"))
  }

  @Test func `an encoder of its own towers is read as it was saved`() throws {
    let encoder = try Self.encoder()
    let read = try DualEncoder.read(saved(encoder))
    #expect(read.configuration == encoder.configuration)
    #expect(read.parameters.map(\.name) == encoder.parameters.map(\.name))
    #expect(read.parameters.map(\.tensor.floats) == encoder.parameters.map(\.tensor.floats))
    let (ids, again) = (
      Self.captions.map { encoder.captionTokenizer!.encode($0) },
      Self.captions.map { read.captionTokenizer!.encode($0) }
    )
    #expect(ids == again)
    withoutGradients {
      let rows = read.texts(CaptionTokenizer.padded(Array(ids.prefix(3))))
      #expect(rows.shape == [3, 6])
      #expect(rows.floats == encoder.texts(CaptionTokenizer.padded(Array(ids.prefix(3)))).floats)
      let transform = read.transform!
      let pictures = read.images(transform([UInt8](repeating: 100, count: 2 * 16 * 16 * 3), side: 16))
      #expect(pictures.shape == [2, 6] && pictures.norm(-1).floats.allSatisfy { abs($0 - 1) < 1e-5 })
    }
  }

  @Test func `dropout acts in training alone, as the generator is seeded`() throws {
    let (with, without) = (try Self.encoder(dropout: 0.5), try Self.encoder())
    let pictures = with.transform!([UInt8](0..<255) + [UInt8](repeating: 9, count: 16 * 16 * 3 - 255), side: 16)
    let ids = CaptionTokenizer.padded(Self.captions.prefix(3).map(with.captionTokenizer!.encode))
    func drawn(seed: UInt64) -> [[Float]] {
      TorchRuntime.seed(seed, stream: 0, index: 0)
      return [with.images(pictures, training: true).floats, with.texts(ids, training: true).floats]
    }
    withoutGradients {
      let (first, again, other) = (drawn(seed: 1), drawn(seed: 1), drawn(seed: 2))
      #expect(first == again && first[0] != other[0] && first[1] != other[1])
      #expect(with.images(pictures).floats == without.images(pictures).floats)
      #expect(with.texts(ids).floats == without.texts(ids).floats)
      #expect(without.texts(ids, training: true).floats == without.texts(ids).floats)
    }
  }

  @Test func `captions end with the greatest id, however long`() throws {
    let tokenizer = try #require(try Self.encoder().captionTokenizer)
    let end = Int32(tokenizer.vocabularySize - 1)
    let ids = tokenizer.encode(String(repeating: "unknown words ", count: 20))
    #expect(ids.count == 10 && ids.last == end && !ids.dropLast().contains(end))
    #expect(tokenizer.encode("") == [end])
    #expect(CaptionTokenizer.padded([[5, end], [end]]).integers == [5, Int64(end), Int64(end), 0])
  }

  @Test func `a vocabulary whose end mark has another id is refused`() throws {
    let tokenizer = try #require(try Self.encoder().captionTokenizer)
    var json = try JSON(parsing: tokenizer.fileText.utf8, source: "test")
    var vocabulary = try #require(json["model"]?["vocab"]?.objectValue)
    vocabulary["more"] = .integer(tokenizer.vocabularySize)
    json["model"]!["vocab"] = .object(vocabulary)
    let path = try folder.write(json.compact, to: "tokenizer.json")
    let failure = #expect(throws: Failure.self) { try CaptionTokenizer(path: path, context: 10) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains("greatest id") == true)
  }

  @Test(arguments: [
    ("\"patch\": 8", "\"patch\": 7", "patches"), ("\"heads\": 3", "\"heads\": 5", "heads"),
    ("\"layers\": 2", "\"layers\": 1000", "too few"), ("\"context\": 10", "\"context\": 11", "positional_embedding"),
    ("\"embed\": 6", "\"embed\": 7", "proj"), ("\"embed\": 6", "\"embed\": 6, \"dropout\": 1", "dropout"),
    ("0.268", "-0.268", "deviation"),
    ("\"vocabulary\": ", "\"vocabulary\": 1", "tok"),
  ]) func `a configuration that does not fit is refused`(_ part: String, _ damage: String, _ word: String) throws {
    let artifact = try saved(Self.encoder())
    let path = try artifact.file(DualEncoder.configurationFile)
    let whole = try text(path)
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    try AtomicFile.write(damaged, to: path)
    let failure = #expect(throws: Failure.self) { try DualEncoder.read(artifact) }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true, "\(failure?.description ?? "")")
  }
}
