import Torch

/// Causal attention with one product for queries, keys and values.
struct SelfAttention {
  private let queryKeyValue: Projection
  private let output: Projection
  private let configuration: ModelConfiguration
  private let layer: Int

  init(_ name: String, _ layer: Int, _ configuration: ModelConfiguration, _ parameters: ParameterTable) {
    self.layer = layer
    queryKeyValue = Projection("\(name).qkv", parameters)
    output = Projection("\(name).output", parameters)
    self.configuration = configuration
  }

  /// - Parameter x: [B, T, width]
  func callAsFunction(_ x: Tensor, rotary: RotaryEmbedding?, scope: AttentionScope) -> Tensor {
    let (batch, length) = (x.size(0), x.size(1))
    let (heads, shared, width) = (configuration.heads, configuration.keyValueHeads, configuration.headWidth)
    let all = queryKeyValue(x).reshaped([batch, length, heads + 2 * shared, width])
    // Queries and keys are rotated together: they lie side by side.
    let parts = all.split([heads + shared, shared], dimension: 2)
    let turned = (rotary.map { $0(parts[0], in: scope) } ?? parts[0]).split([heads, shared], dimension: 2)
    var (keys, values) = (turned[1].transposed(1, 2), parts[1].transposed(1, 2))
    if let cache = scope.cache { (keys, values) = cache.extend(layer, keys: keys, values: values) }
    let mixed = Tensor.attention(
      turned[0].transposed(1, 2), keys, values, mask: scope.mask, causal: scope.isCausal, grouped: shared < heads)
    return output(mixed.transposed(1, 2).reshaped([batch, length, heads * width]))
  }
}

/// down · activation(up · x), or down · (silu(gate · x) ∘ (up · x)).
struct FeedForward {
  private let up: Projection
  private let down: Projection
  private let activation: ModelConfiguration.Activation

  init(_ name: String, _ configuration: ModelConfiguration, _ parameters: ParameterTable) {
    activation = configuration.activation
    up = Projection("\(name).\(activation == .swiglu ? "gate_up" : "up")", parameters)
    down = Projection("\(name).down", parameters)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let hidden = up(x)
    switch activation {
    case .gelu: return down(hidden.gelu())
    case .geluTanh: return down(hidden.gelu(approximate: true))
    case .swiglu:
      let halves = hidden.chunks(2, dimension: -1)
      return down(halves[0].silu() * halves[1])
    }
  }
}

/// Attention and feed-forward, each normed before and added to the residual stream after.
struct TransformerBlock {
  private let attentionNorm: Norm
  private let attention: SelfAttention
  private let feedForwardNorm: Norm
  private let feedForward: FeedForward
  private let parallel: Bool

  init(_ layer: Int, _ configuration: ModelConfiguration, _ parameters: ParameterTable) {
    let name = "blocks.\(layer)"
    attentionNorm = Norm("\(name).attention_norm", configuration, parameters)
    attention = SelfAttention("\(name).attention", layer, configuration, parameters)
    feedForwardNorm = Norm("\(name).feed_forward_norm", configuration, parameters)
    feedForward = FeedForward("\(name).feed_forward", configuration, parameters)
    parallel = configuration.parallelResidual
  }

  /// - Parameters:
  ///   - x: the residual stream, [B, T, width].
  ///   - arithmetic: the precision of the branches.
  func callAsFunction(
    _ x: Tensor, rotary: RotaryEmbedding?, scope: AttentionScope, arithmetic: DType, dropout: Double
  ) -> Tensor {
    let attended = attention(attentionNorm(x).to(arithmetic), rotary: rotary, scope: scope).dropout(dropout)
    if parallel {
      return x + attended + feedForward(feedForwardNorm(x).to(arithmetic)).dropout(dropout)
    }
    let y = x + attended
    return y + feedForward(feedForwardNorm(y).to(arithmetic)).dropout(dropout)
  }
}
