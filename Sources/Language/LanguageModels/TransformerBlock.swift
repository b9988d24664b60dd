import ModelDescriptions
import Torch

/// Causal attention with one product for queries, keys and values.
struct SelfAttention {
  private let queryKeyValue: Projection
  private let output: Projection
  private let configuration: ModelConfiguration
  private let layer: Int

  init(
    _ name: String, _ layer: Int, _ configuration: ModelConfiguration, _ parameters: ParameterTable,
    _ precision: Precision
  ) {
    self.layer = layer
    queryKeyValue = Projection("\(name).qkv", parameters, precision)
    output = Projection("\(name).output", parameters, precision)
    self.configuration = configuration
  }

  /// - Parameter x: [B, T, width]
  func callAsFunction(_ x: Tensor, rotary: RotaryEmbedding?, scope: AttentionScope) -> Tensor {
    let (batch, length) = (x.size(0), x.size(1))
    let (heads, shared, width) = (configuration.heads, configuration.keyValueHeads, configuration.headWidth)
    let all = queryKeyValue(x).reshaped([batch, length, heads + 2 * shared, width])
    // Queries and keys lie side by side and are rotated in one call.
    let parts = all.split([heads + shared, shared], dimension: 2)
    let rotated = (rotary.map { $0(parts[0], in: scope) } ?? parts[0]).split([heads, shared], dimension: 2)
    var (keys, values) = (rotated[1].transposed(1, 2), parts[1].transposed(1, 2))
    if let cache = scope.cache { (keys, values) = cache.extend(layer, keys: keys, values: values) }
    let attended = scope.attention(rotated[0].transposed(1, 2), keys, values)
    return output(attended.transposed(1, 2).reshaped([batch, length, heads * width]))
  }
}

/// down · activation(up · x), or down · (silu(gate · x) ∘ (up · x)).
struct FeedForward {
  private let up: Projection
  private let down: Projection
  private let activation: ModelConfiguration.Activation

  init(
    _ name: String, _ configuration: ModelConfiguration, _ parameters: ParameterTable, _ precision: Precision
  ) {
    activation = configuration.activation
    up = Projection("\(name).\(activation == .swiglu ? "gate_up" : "up")", parameters, precision)
    down = Projection("\(name).down", parameters, precision)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let inner = up(x)
    switch activation {
    case .gelu: return down(inner.gelu())
    case .geluTanh: return down(inner.gelu(approximate: true))
    case .quickGelu: return down(inner.quickGelu())
    case .swiglu: return down(inner.isCPUFloat32 ? inner.gatedSiLU() : Self.gated(inner))
    }
  }

  /// `gatedSiLU` in plain tensor code.
  static func gated(_ inner: Tensor) -> Tensor {
    let halves = inner.chunks(2, dimension: -1)
    return halves[0].silu() * halves[1]
  }
}

/// Attention and feed-forward, each with a norm before it and added to the residual stream after it.
struct TransformerBlock {
  private let attentionNorm: NormLayer
  private let attention: SelfAttention
  private let feedForwardNorm: NormLayer
  private let feedForward: FeedForward
  private let parallel: Bool
  private let precision: Precision

  init(_ layer: Int, _ configuration: ModelConfiguration, _ parameters: ParameterTable, _ precision: Precision) {
    let name = "blocks.\(layer)"
    attentionNorm = NormLayer("\(name).attention_norm", configuration, parameters)
    attention = SelfAttention("\(name).attention", layer, configuration, parameters, precision)
    feedForwardNorm = NormLayer("\(name).feed_forward_norm", configuration, parameters)
    feedForward = FeedForward("\(name).feed_forward", configuration, parameters, precision)
    parallel = configuration.parallelResidual
    self.precision = precision
  }

  /// - Parameter x: the residual stream, [B, T, width].
  func callAsFunction(
    _ x: Tensor, rotary: RotaryEmbedding?, scope: AttentionScope, dropout: Double
  ) -> Tensor {
    let type = precision.branches
    let attended = attention(attentionNorm(x).to(type), rotary: rotary, scope: scope).dropout(dropout)
    if parallel {
      return x + attended + feedForward(feedForwardNorm(x).to(type)).dropout(dropout)
    }
    let y = x + attended
    return y + feedForward(feedForwardNorm(y).to(type)).dropout(dropout)
  }
}
