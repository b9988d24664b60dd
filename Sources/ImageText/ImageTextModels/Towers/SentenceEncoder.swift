import Diagnostics
import JSON
import Torch
import Weights

/// The sizes of a BERT, as `config.json` states them.
struct SentenceEncoderConfiguration: Equatable, Sendable {
  static let modelType = "bert"

  let name: String
  let vocabulary: Int
  let context: Int
  let width: Int
  let layers: Int
  let heads: Int
  let feedForward: Int
  let normEpsilon: Double
  let segments: Int

  /// - Throws: `Failure(.badData)` naming the member that is not as it should be, or a setting that is not supported.
  init(_ json: JSON, source: String) throws {
    var fields = try JSONFields(json, source: source)
    func require(_ name: String, _ wanted: String) throws {
      guard let given = try fields.optionalString(name), given != wanted else { return }
      throw fields.failure(name, "is \"\(given)\", only \(wanted) is supported")
    }
    try require("model_type", Self.modelType)
    try require("hidden_act", "gelu")
    try require("position_embedding_type", "absolute")
    for name in ["is_decoder", "add_cross_attention"] {
      guard fields.optional(name)?.boolValue != true else {
        throw fields.failure(name, "is true, which is not supported")
      }
    }
    name = try fields.optionalString("_name_or_path").flatMap { $0.isEmpty ? nil : $0 } ?? Self.modelType
    vocabulary = try fields.size("vocab_size", in: 1...1 << 24)
    context = try fields.size("max_position_embeddings", in: 1...1 << 20)
    width = try fields.size("hidden_size", in: 1...1 << 16)
    layers = try fields.size("num_hidden_layers", in: 1...1 << 10)
    heads = try fields.size("num_attention_heads", in: 1...1 << 10)
    feedForward = try fields.size("intermediate_size", in: 1...1 << 18)
    normEpsilon = try fields.number("layer_norm_eps")
    segments = try fields.size("type_vocab_size", in: 1...1 << 10)
    guard width % heads == 0 else { throw fields.failure("num_attention_heads", "must divide hidden_size") }
  }
}

/// BERT (Devlin et al. 2019) whose last hidden states are averaged over a text's tokens, as sentence-transformers does
/// (Reimers and Gurevych 2019). Frozen.
package struct SentenceEncoder: Sendable {
  let configuration: SentenceEncoderConfiguration
  /// [vocabulary, width]
  package let tokens: Tensor
  /// Of positions, with that of the first segment added: [context, width].
  package let positions: Tensor
  package let norm: LayerNorm
  package let blocks: [EncoderBlock]
  private let computeType: DType

  var device: Device { tokens.device }

  /// - Throws: `Failure(.badData)` where a tensor is missing or has another type or shape. A file may hold more, such as a
  ///   pooler.
  init(
    _ configuration: SentenceEncoderConfiguration, _ file: SafetensorsFile, device: Device, computeType: DType
  ) throws {
    let width = configuration.width
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try file.tensor(name, shape: shape).to(device) }
    func norm(_ name: String) throws -> LayerNorm {
      LayerNorm(
        weight: try tensor("\(name).LayerNorm.weight", [width]), bias: try tensor("\(name).LayerNorm.bias", [width]),
        epsilon: configuration.normEpsilon)
    }
    func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws -> Linear {
      Linear(weight: try tensor("\(name).weight", [outputs, inputs]), bias: try tensor("\(name).bias", [outputs]))
    }
    tokens = try tensor("embeddings.word_embeddings.weight", [configuration.vocabulary, width])
    positions =
      try tensor("embeddings.position_embeddings.weight", [configuration.context, width])
      + tensor("embeddings.token_type_embeddings.weight", [configuration.segments, width])[0]
    self.norm = try norm("embeddings")
    blocks = try (0..<configuration.layers).map { layer in
      let name = "encoder.layer.\(layer)"
      let parts = try ["query", "key", "value"].map { try linear("\(name).attention.self.\($0)", width, width) }
      return EncoderBlock(
        attentionNorm: try norm("\(name).attention.output"),
        queryKeyValue: Linear(
          weight: .concatenate(parts.map(\.weight)), bias: .concatenate(parts.compactMap(\.bias))),
        output: try linear("\(name).attention.output.dense", width, width),
        feedForwardNorm: try norm("\(name).output"),
        up: try linear("\(name).intermediate.dense", width, configuration.feedForward),
        down: try linear("\(name).output.dense", configuration.feedForward, width), heads: configuration.heads,
        order: .last)
    }
    self.configuration = configuration
    self.computeType = computeType
  }

  /// Embeddings [B, width] of texts, each at least one id.
  func callAsFunction(_ texts: [[Int32]]) -> Tensor {
    let length = texts.map(\.count).max() ?? 0
    precondition(texts.allSatisfy { !$0.isEmpty } && length <= configuration.context, "a text of \(length) tokens")
    let ids = Tensor(
      texts.flatMap { $0 + [Int32](repeating: 0, count: length - $0.count) }, shape: [texts.count, length])
    let counts = Tensor(texts.map(\.count), shape: [texts.count, 1]).to(device)
    let isText = Tensor.arange(length, device: device).less(counts)
    let mask = texts.allSatisfy { $0.count == length } ? nil : isText.reshaped([texts.count, 1, 1, length])
    let embedded = norm(Tensor.embedding(tokens, ids.to(device)) + positions[0..<length])
    let states = blocks.reduce(embedded) { $1($0, mask: mask, computeType: computeType) }
    let weights = isText.to(.float32).unsqueezed(-1)
    return (states * weights).sum(1) / counts.to(.float32)
  }
}
