import Torch

/// A temperature policy made ready for one model: a TempNet's first layer is multiplied through the model's unembedding,
/// so that it costs a generated token next to nothing. For SmolLM2's 49,152 logits of width 576 it reads 0.6 MB of weights
/// per token and not 50 MB.
public struct FoldedPolicy: Sendable {
  private let policy: TemperaturePolicy
  private let network: FoldedTemperatureNetwork?

  /// - Parameters:
  ///   - unembedding: [vocabulary, d].
  ///   - bias: what the unembedding adds to the logits, [vocabulary].
  public init(_ policy: TemperaturePolicy, unembedding: Tensor, bias: Tensor? = nil) {
    self.policy = policy
    guard case .tempnet(let network) = policy else {
      self.network = nil
      return
    }
    self.network = withoutGradients { network.folded(unembedding: unembedding, bias: bias) }
  }

  public var looksAtCandidates: Bool { policy.looksAtCandidates }

  /// The temperatures [N] of logits [N, V] that the unembedding makes of hidden states [N, d].
  public func callAsFunction(_ logits: Tensor, hidden: Tensor) -> Tensor {
    guard let network else { return policy(logits, hidden: hidden) }
    return withoutGradients { network(hidden: hidden, logits: LogitStatistics(logits)).to(logits.dtype) }
  }
}
