import EncoderDescriptions
import LanguageModels
import ModelDescriptions
import Torch

/// A causal transformer over a caption's tokens in open_clip's form, read at its end mark and projected without a bias.
/// The transformer itself is that of the language models.
struct TextTransformer {
  /// By the type of the products' factors; they share their parameters.
  private let models: [DType: LanguageModel]
  /// [width, embed]
  private let projection: Tensor

  /// - Parameter dropout: the share that training drops of what enters the blocks and of what each half of a block adds.
  init(_ configuration: TowersConfiguration.Text, dropout: Double = 0, _ tensors: TowerTensors, device: Device) {
    guard
      let sizes = try? ModelConfiguration(
        vocabulary: configuration.vocabulary, context: configuration.context, width: configuration.width,
        layers: configuration.layers, heads: configuration.heads,
        feedForward: configuration.block.feedForward, normEpsilon: configuration.block.normEpsilon,
        positions: .learned, activation: configuration.block.activation.ofLanguageModels, tiedHead: true,
        dropout: dropout)
    else { preconditionFailure("sizes that the configuration has checked") }
    let parameters = sizes.parameters.map { NamedTensor($0.name, tensors[Self.name($0.name)]) }
    let projection = tensors["text_projection"]
    models = Dictionary(
      uniqueKeysWithValues: [DType.float32, .bfloat16].map { type in
        // Parameters of more precision keep it.
        let computeType = projection.dtype == .float32 ? type : projection.dtype
        return (type, LanguageModel(sizes, parameters: parameters, device: device, computeType: computeType))
      })
    self.projection = projection
  }

  /// Embeddings [B, embed] of captions, int64 [B, T], padded with 0 after the end mark, which has the greatest id.
  func callAsFunction(_ ids: Tensor, training: Bool = false, computeType: DType) -> Tensor {
    guard let model = models[computeType] else { preconditionFailure("no products of \(computeType)") }
    let states = model.hiddenStates(ids, training: training).to(projection.dtype)
    // A product with zeros and ones, whose gradient needs no scattered additions.
    let isEnd = Tensor.arange(ids.size(1), device: ids.device).equal(ids.argmax(1).unsqueezed(1))
    let ends = (states * isEnd.to(states.dtype).unsqueezed(-1)).sum(1)
    return ends.linear(projection.transposed(), computeType: computeType)
  }

  /// The open_clip name of a parameter of the language models.
  private static func name(_ parameter: String) -> String {
    switch parameter {
    case "embedding.weight": return "token_embedding.weight"
    case "positions.weight": return "positional_embedding"
    case "norm.weight": return "ln_final.weight"
    case "norm.bias": return "ln_final.bias"
    default: break
    }
    let parts = parameter.split(separator: ".", maxSplits: 2).map(String.init)
    let names = [
      "attention_norm.": "ln_1.", "attention.qkv.": "attn.in_proj_", "attention.output.": "attn.out_proj.",
      "feed_forward_norm.": "ln_2.", "feed_forward.up.": "mlp.c_fc.", "feed_forward.down.": "mlp.c_proj.",
    ]
    guard parts.count == 3, let (own, other) = names.first(where: { parts[2].hasPrefix($0.key) }) else {
      preconditionFailure("no name for \(parameter)")
    }
    return "transformer.resblocks.\(parts[1]).\(other)\(parts[2].dropFirst(own.count))"
  }
}

extension TowersConfiguration.Activation {
  fileprivate var ofLanguageModels: ModelConfiguration.Activation {
    switch self {
    case .gelu: .gelu
    case .quickGelu: .quickGelu
    }
  }
}
