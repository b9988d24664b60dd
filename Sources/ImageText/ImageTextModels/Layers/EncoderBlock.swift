import EncoderDescriptions
import Torch

/// Attention of every position to every other, and feed-forward, each added to what it reads (Vaswani et al. 2017).
package struct EncoderBlock: Sendable {
  /// Where the norms are.
  package enum NormOrder: Sendable {
    /// Before each half, outside the residual stream: vision transformers.
    case first
    /// After each sum: BERT.
    case last
  }

  package let attentionNorm: LayerNorm
  /// [3 · width, width], rows of all queries, then all keys, then all values.
  package let queryKeyValue: Linear
  package let output: Linear
  package let feedForwardNorm: LayerNorm
  package let up: Linear
  package let down: Linear
  package let heads: Int
  package let order: NormOrder
  package let activation: TowersConfiguration.Activation

  package init(
    attentionNorm: LayerNorm, queryKeyValue: Linear, output: Linear, feedForwardNorm: LayerNorm, up: Linear,
    down: Linear, heads: Int, order: NormOrder, activation: TowersConfiguration.Activation = .gelu
  ) {
    (self.attentionNorm, self.queryKeyValue, self.output) = (attentionNorm, queryKeyValue, output)
    (self.feedForwardNorm, self.up, self.down) = (feedForwardNorm, up, down)
    (self.heads, self.order, self.activation) = (heads, order, activation)
  }

  /// - Parameters:
  ///   - x: [B, T, width].
  ///   - mask: true for the positions that are seen, bool [B, 1, 1, T]; nil for all.
  ///   - dropout: the share that is dropped of what each half adds.
  func callAsFunction(_ x: Tensor, mask: Tensor? = nil, dropout: Double = 0, computeType: DType) -> Tensor {
    switch order {
    case .first:
      let y = x + attention(attentionNorm(x), mask, computeType).dropout(dropout)
      return y + feedForward(feedForwardNorm(y), computeType).dropout(dropout)
    case .last:
      let y = attentionNorm(x + attention(x, mask, computeType).dropout(dropout))
      return feedForwardNorm(y + feedForward(y, computeType).dropout(dropout))
    }
  }

  private func attention(_ x: Tensor, _ mask: Tensor?, _ computeType: DType) -> Tensor {
    let (batch, length, width) = (x.size(0), x.size(1), x.size(2))
    let all = queryKeyValue(x, computeType: computeType).reshaped([batch, length, 3, heads, width / heads])
    let parts = (0..<3).map { all.selected(2, at: $0).transposed(1, 2) }
    let attended = Tensor.attention(parts[0], parts[1], parts[2], mask: mask)
    return output(attended.transposed(1, 2).reshaped([batch, length, width]), computeType: computeType)
  }

  private func feedForward(_ x: Tensor, _ computeType: DType) -> Tensor {
    let inner = up(x, computeType: computeType)
    let active =
      switch activation {
      case .gelu: inner.gelu()
      case .quickGelu: inner.quickGelu()
      }
    return down(active, computeType: computeType)
  }
}
