import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Pictures
import TestSupport
import Testing
import Torch
import Weights

@testable import ImageTextModels

@Suite struct FrozenTowersTests {
  private let folder = try! TemporaryFolder()

  /// The pictures of make_towers.py: uint8 [count, size, size, 3].
  private static func pixels(_ count: Int, _ size: Int) -> [UInt8] {
    var pixels: [UInt8] = []
    for p in 0..<count {
      for y in 0..<size {
        for x in 0..<size {
          for c in 0..<3 {
            let slopes = x * (p % 5 + 1) + y * (c + 2) * 3 / 2 + p * 37
            pixels.append(UInt8((slopes + x * y / (p + 2) + (x / 16 ^ y / 16) * 8) % 256))
          }
        }
      }
    }
    return pixels
  }

  private static func features(_ folder: String, _ count: Int, _ size: Int) throws -> Tensor {
    let tower = try FrozenImageTower(folder, size: size, device: .cpu)
    return withoutGradients { tower(tower.transform(pixels(count, size), side: size)) }
  }

  private static func difference(_ a: Tensor, _ b: Tensor) -> Double { (a - b).abs().reshaped([-1]).maximum(0).item }

  @Test(arguments: [16, 25]) func `a small EfficientNet gives the features of its PyTorch form`(_ size: Int) throws {
    let expected = try SafetensorsFile(fixture("efficientnet/cases.safetensors"))
    let features = try Self.features(fixture("efficientnet"), 3, size)
    #expect(Self.difference(features, try Tensor(expected.entry("features_\(size)", shape: [3, 12]))) < 1e-5)
  }

  @Test func `a small BERT gives the averages of its PyTorch form, whatever texts stand together`() throws {
    let expected = try Tensor(SafetensorsFile(fixture("sentences/cases.safetensors")).entry("embeddings"))
    let tower = try FrozenTextTower(fixture("sentences"), limit: nil, device: .cpu, computeType: .float32)
    #expect(tower.limit == 12)
    var records = try JSONRecords(FileReader(fixture("sentences/texts.jsonl")))
    var texts: [[Int32]] = []
    while let record = try records.next() {
      texts.append(tower.tokens(of: try #require(record.json["text"]?.stringValue)))
      #expect(texts.last?.map(Int.init) == record.json["ids"]?.arrayValue?.compactMap(\.intValue))
    }
    withoutGradients {
      #expect(Self.difference(tower(texts), expected) < 1e-5)
      let alone = Tensor.concatenate(texts.map { tower([$0]) })
      #expect(Self.difference(alone, expected) < 1e-5)
    }
  }

  @Test func `records state name, digest and widths`() throws {
    let image = try FrozenImageTower(fixture("efficientnet"), size: 48, device: .cpu).record(digest: "ab")
    #expect(image == TowerRecord("small", digest: "ab", size: 48, width: 12))
    let text = try FrozenTextTower(fixture("sentences"), limit: 8, device: .cpu, computeType: .float32)
    #expect(text.limit == 8)
    #expect(text.record(digest: "cd").width == 24)
  }

  @Test(arguments: [
    ("efficientnet", "\"efficientnet-lite\"", "\"resnet\"", "resnet"),
    ("efficientnet", "\"stem\": 32", "\"stem\": 33", "_conv_stem"),
    ("efficientnet", "\"kernel\": 3", "\"kernel\": 0", "kernel"),
    ("efficientnet", "\"blocks\": 2", "\"blocks\": 1", "_blocks"),
    ("efficientnet", "\"pixel_scale\": 128.0", "\"pixel_scale\": 0.0", "pixel_scale"),
    ("sentences", "\"bert\"", "\"roberta\"", "roberta"), ("sentences", "\"gelu\"", "\"relu\"", "hidden_act"),
    ("sentences", "\"num_attention_heads\": 3", "\"num_attention_heads\": 5", "num_attention_heads"),
    ("sentences", "\"vocab_size\": 400", "\"vocab_size\": 399", "embeddings"),
    ("sentences", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "encoder.layer.2"),
    ("sentences", "\"is_decoder\": false", "\"is_decoder\": true", "is_decoder"),
  ]) func `a configuration that does not fit is refused`(
    _ name: String, _ part: String, _ damage: String, _ word: String
  ) throws {
    let source = fixture(name)
    for file in try Files.list(source) { try AtomicFile.write(Files.read("\(source)/\(file)"), to: folder(file)) }
    let whole = try text(folder("config.json"))
    let damaged = whole.replacing(part, with: damage, maxReplacements: 1)
    try #require(damaged != whole)
    try folder.write(damaged, to: "config.json")
    let failure = #expect(throws: Failure.self) {
      if name == "efficientnet" {
        _ = try FrozenImageTower(folder.path, size: 32, device: .cpu)
      } else {
        _ = try FrozenTextTower(folder.path, limit: nil, device: .cpu, computeType: .float32)
      }
    }
    #expect(failure?.status == .badData)
    #expect(failure?.description.contains(word) == true, "\(failure?.description ?? "")")
  }

  @Test func `a limit beyond the context is refused`() {
    let failure = #expect(throws: Failure.self) {
      try FrozenTextTower(fixture("sentences"), limit: 17, device: .cpu, computeType: .float32)
    }
    #expect(failure?.status == .badConfiguration)
  }

  // MARK: - Fetched towers

  @Test(.enabled(if: slowTestsEnabled), arguments: [128, 224])
  func `EfficientNet-Lite0 gives the features of efficientnet_lite_pytorch`(_ size: Int) throws {
    let expected = try SafetensorsFile(fixture("lite0.safetensors"))
    let features = try Self.features(checkout("data/cache/efficientnet-lite0"), 32, size)
    let some = features.selected(1, indices: Tensor(Array(stride(from: 0, to: 1280, by: 40))))
    #expect(Self.difference(some, try Tensor(expected.entry("features_\(size)", shape: [32, 32]))) < 1e-4)
  }

  @Test(.enabled(if: slowTestsEnabled)) func `MiniLM gives the averages of transformers' BertModel`() throws {
    let expected = try Tensor(SafetensorsFile(fixture("minilm.safetensors")).entry("embeddings", shape: [64, 24]))
    let tower = try FrozenTextTower(checkout("data/cache/minilm"), limit: nil, device: .cpu, computeType: .float32)
    #expect(tower.limit == 128)
    var records = try JSONRecords(FileReader(fixture("minilm.jsonl")))
    var texts: [[Int32]] = []
    while let record = try records.next() {
      texts.append(tower.tokens(of: try #require(record.json["text"]?.stringValue)))
      #expect(texts.last?.count == record.json["tokens"]?.intValue)
    }
    let embeddings = withoutGradients { tower(texts) }
    let some = embeddings.selected(1, indices: Tensor(Array(stride(from: 0, to: 384, by: 16))))
    #expect(Self.difference(some, expected) < 1e-4)
  }
}
