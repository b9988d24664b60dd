import Torch

/// A TempNet whose first layer is multiplied through the unembedding `z = W·h + c` of a language model, so that a token
/// costs `hidden · d` multiplications instead of `hidden · vocabulary`:
///
///     A · z / n = ((A·W)·h + A·c) / n        and, for centred input,  A · (z - m) / n = ((A·W)·h + A·c - m·(A·1)) / n
///
/// The products with `A` are differentiable, so gradients reach the network's own weights. Folding is for one version of
/// the weights: fold again after a step of the optimiser.
public struct FoldedTemperatureNetwork: Sendable {
  private let network: TemperatureNetwork
  /// A·W, [hidden, d].
  private let weight: Tensor
  /// A·c, [hidden].
  private let headBias: Tensor?
  /// A·1, [hidden]; only for centred input.
  private let rowSums: Tensor?

  fileprivate init(_ network: TemperatureNetwork, unembedding: Tensor, bias: Tensor?) {
    let first = network.transformation.weight
    self.network = network
    weight = first.matmul(unembedding.detached())
    headBias = bias.map { first.matmul($0.detached()) }
    rowSums = network.settings.input == .centred ? first.sum(1) : nil
  }

  /// The temperatures [N] of tokens.
  ///
  /// - Parameters:
  ///   - hidden: what the unembedding is applied to, [N, d].
  ///   - maximum: the largest logit of each token, [N].
  ///   - norm: the Euclidean norm of the network's input, [N]: of the logits, or of the logits minus their maximum.
  ///   - training: whether hidden units are dropped at random.
  public func callAsFunction(
    hidden: Tensor, maximum: Tensor, norm: Tensor, training: Bool = false
  ) -> Tensor {
    var product = hidden.detached().matmul(weight.transposed())
    if let headBias { product = product + headBias }
    if let rowSums { product = product - maximum.unsqueezed(-1) * rowSums }
    let norm = norm.clamped(network.settings.normalisationEpsilon, nil).unsqueezed(-1)
    var transformed = product / norm
    if let bias = network.transformation.bias { transformed = transformed + bias }
    return network.temperature(transformed: transformed, training: training)
  }
}

extension TemperatureNetwork {
  /// This network with its first layer multiplied through an unembedding.
  ///
  /// - Parameters:
  ///   - unembedding: [vocabulary, d].
  ///   - bias: what the unembedding adds to the logits, [vocabulary].
  public func folded(unembedding: Tensor, bias: Tensor? = nil) -> FoldedTemperatureNetwork {
    FoldedTemperatureNetwork(self, unembedding: unembedding, bias: bias)
  }
}
