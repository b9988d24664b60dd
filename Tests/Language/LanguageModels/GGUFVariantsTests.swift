import Diagnostics
import Files
import TestSupport
import Testing
import Torch
import Weights

@testable import LanguageModels
@testable import ModelFiles

/// Models of others say the same in several ways.
@Suite struct GGUFVariantsTests {
  private let folder = try! TemporaryFolder()
  private typealias Entries = [(key: String, value: GGUFWriter.Value)]

  private static let common: Entries = [
    ("general.architecture", .string("llama")), ("llama.context_length", .uint32(16)),
    ("llama.embedding_length", .uint32(16)), ("llama.block_count", .uint32(2)),
    ("llama.attention.layer_norm_rms_epsilon", .float32(1e-6)), ("llama.attention.key_length", .uint32(4)),
    ("llama.attention.value_length", .uint32(4)), ("llama.rope.dimension_count", .uint32(4)),
    ("llama.rope.freq_base", .float32(500)),
  ]
  private static let heads: Entries = [
    ("llama.attention.head_count", .uint32(4)), ("llama.attention.head_count_kv", .uint32(2)),
    ("llama.feed_forward_length", .uint32(24)),
  ]

  private func tensors(_ name: String) throws -> [GGUFWriter.Tensor] {
    try GGUFFile("\(fixture(name))/model.gguf").tensors.map { tensor in
      GGUFWriter.Tensor(tensor.name, shape: tensor.shape) { tensor.floats }
    }
  }

  /// The fixture's tensors with these entries beside the common ones.
  private func model(
    _ name: String, _ entries: Entries, further: [GGUFWriter.Tensor] = []
  ) throws -> LanguageModel {
    try GGUFWriter.write(Self.common + entries, try tensors(name) + further, to: folder("model.gguf"))
    return try PretrainedModel.open(folder("model.gguf")).load()
  }

  private func expectPublishedNumbers(of model: LanguageModel, _ name: String) throws {
    let expected = try SafetensorsFile("\(fixture(name))/expected.safetensors")
    let logits = withoutGradients { model.logits(model.hiddenStates(try! Tensor(expected.entry("tokens")))) }
    #expect(try largestDifference(logits, Tensor(expected.entry("logits"))) < 1e-5)
  }

  private func expectRefusal(_ words: String..., body: () throws -> Any) {
    let failure = #expect(throws: Failure.self) { _ = try body() }
    #expect([.badData, .missingInput].contains(failure?.status))
    for word in words { #expect(failure?.description.contains(word) == true, "\(String(describing: failure))") }
  }

  // MARK: - Rotary scaling

  @Test(
    arguments: [
      [("rope.scaling.type", .string("linear")), ("rope.scaling.factor", .float32(2.5))],
      [("rope.scale_linear", .float32(2.5))],
      [("rope.scaling.type", .string("linear")), ("rope.scale_linear", .float32(2.5))],
      [
        ("rope.scale_linear", .float32(7)), ("rope.scaling.type", .string("linear")),
        ("rope.scaling.factor", .float32(2.5)),
      ],
    ] as [[(String, GGUFWriter.Value)]])
  func `a linear scaling may be stated in several ways`(_ stated: [(String, GGUFWriter.Value)]) throws {
    let model = try model("llama-linear", Self.heads + stated.map { ("llama.\($0)", $1) })
    try expectPublishedNumbers(of: model, "llama-linear")
  }

  @Test(
    arguments: [
      [("rope.scaling.factor", .float32(1))], [("rope.scaling.factor", .float32(0))],
      [("rope.scaling.type", .string("linear")), ("rope.scaling.factor", .float32(0))],
      [("rope.scaling.type", .string("none")), ("rope.scaling.factor", .float32(8))],
    ] as [[(String, GGUFWriter.Value)]])
  func `some scalings are none, as in llama cpp`(_ stated: [(String, GGUFWriter.Value)]) throws {
    let model = try model("llama", Self.heads + stated.map { ("llama.\($0)", $1) })
    try expectPublishedNumbers(of: model, "llama")
  }

  @Test func `a factor that does not say of which scaling is refused by name`() {
    expectRefusal("llama.rope.scaling.factor", "llama.rope.scaling.type") {
      try model("llama", Self.heads + [("llama.rope.scaling.factor", .float32(8))])
    }
  }

  @Test func `a linear scaling and factors of single frequencies both divide`() throws {
    let factors = GGUFWriter.Tensor("rope_freqs.weight", shape: [2]) { [1, 4] }
    let stated: Entries = [
      ("llama.rope.scaling.type", .string("linear")), ("llama.rope.scaling.factor", .float32(2)),
    ]
    let configuration = try model("llama", Self.heads + stated, further: [factors]).configuration
    #expect(configuration.rotaryScaling == .factors([2, 8]))
  }

  // MARK: - Numbers for each layer

  private func perLayer(_ heads: [Int], _ keyValueHeads: [Int], _ feedForward: [Int]) -> Entries {
    [
      ("llama.attention.head_count", .integers(heads)), ("llama.attention.head_count_kv", .integers(keyValueHeads)),
      ("llama.feed_forward_length", .integers(feedForward)),
    ]
  }

  @Test func `numbers for each layer that are all the same are one number`() throws {
    try expectPublishedNumbers(of: model("llama", perLayer([4, 4], [2, 2], [24, 24])), "llama")
    expectRefusal("llama.attention.head_count_kv", "not supported") {
      try model("llama", perLayer([4, 4], [2, 1], [24, 24]))
    }
    expectRefusal("llama.feed_forward_length", "not supported") {
      try model("llama", perLayer([4, 4], [2, 2], [24, 23]))
    }
    expectRefusal("llama.attention.head_count", "3 numbers for 2 layers") {
      try model("llama", perLayer([4, 4, 4], [2, 2], [24, 24]))
    }
    expectRefusal("llama.attention.head_count", "0 numbers") { try model("llama", perLayer([], [2, 2], [24, 24])) }
  }

  @Test(arguments: [(12, 12), (16, 16), (40, 16), (0, 16)])
  func `windows are no longer than the sliding window`(_ window: Int, _ context: Int) throws {
    let model = try model("llama", Self.heads + [("llama.attention.sliding_window", .uint32(window))])
    #expect(model.configuration.context == context)
    try expectPublishedNumbers(of: model, "llama")
  }

  // MARK: - Several parts

  private func part(_ number: Int, of count: Int) -> String { folder("model-0000\(number)-of-0000\(count).gguf") }

  /// Writes the fixture in parts, as llama-gguf-split cuts it.
  ///
  /// - Parameter numbers: what the parts say of their place.
  private func writeParts(_ count: Int, numbers: [Int]? = nil, total: Int? = nil) throws {
    let all = try tensors("llama")
    for number in 1...count {
      let split: Entries = [
        ("split.no", .uint32((numbers ?? Array(0..<count))[number - 1])), ("split.count", .uint32(count)),
        ("split.tensors.count", .uint32(total ?? all.count)),
      ]
      let own = all.enumerated().filter { $0.offset % count == number - 1 }.map(\.element)
      try GGUFWriter.write((number == 1 ? Self.common + Self.heads : []) + split, own, to: part(number, of: count))
    }
  }

  @Test func `a model in several parts is the model in one`() throws {
    try writeParts(3)
    let opened = try PretrainedModel.open(part(1, of: 3))
    try expectPublishedNumbers(of: opened.load(), "llama")
    #expect(opened.source.files.map(\.path) == (1...3).map { part($0, of: 3) })
    #expect(opened.source.files.map(\.name) == ["", "00002-of-00003", "00003-of-00003"])
    let copy = #expect(throws: Failure.self) {
      try GGUFWriter.copy(GGUFFile(part(1, of: 3)), adding: [], to: folder("copy.gguf"))
    }
    #expect(copy?.message.contains("llama-gguf-split --merge") == true)
  }

  @Test func `parts that are missing, in another place or of another model are named`() throws {
    try writeParts(3)
    expectRefusal("is part 2 of a model in 3 parts", part(1, of: 3)) { try PretrainedModel.open(part(2, of: 3)) }
    try Files.remove(part(2, of: 3))
    expectRefusal("part 2 of 3", part(2, of: 3)) { try PretrainedModel.open(part(1, of: 3)) }
    try AtomicFile.write(Files.read(part(1, of: 3)), to: folder("other.gguf"))
    expectRefusal("llama-gguf-split --merge", "other.gguf") { try PretrainedModel.open(folder("other.gguf")) }
    try writeParts(3, numbers: [0, 2, 2])
    expectRefusal("split.no is 2", part(2, of: 3)) { try PretrainedModel.open(part(1, of: 3)) }
    try writeParts(2, total: 22)
    expectRefusal("split.tensors.count is 22", "21 tensors") { try PretrainedModel.open(part(1, of: 2)) }
  }
}
