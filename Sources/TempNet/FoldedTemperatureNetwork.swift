import Torch

/// The unembedding `z = W·h + c` of a language model as the first layer of a TempNet will meet it, so that a token costs
/// `hidden · d` multiplications instead of `hidden · vocabulary`:
///
///     A · z / n = ((A·W)·h + A·c) / n        and, for centred input,  A · (z - m) / n = ((A·W)·h + A·c - m·(A·1)) / n
///
/// In standardised coordinates A = A'·diag(s) and the bias is b' - A·ū (see `StandardisedNetwork`); then W, c, 1 and ū
/// are scaled here, once, and not A' in every step.
public struct FoldedUnembedding: Sendable {
  /// What diag(s)·W is transposed, [d, vocabulary], in the type of the products' factors.
  private let weight: Tensor
  /// s ∘ c, [vocabulary].
  fileprivate let bias: Tensor?
  /// s, [inputSize]; nil for 1.
  fileprivate let scale: Tensor?
  /// s ∘ ū, [inputSize]; nil for 0.
  fileprivate let shift: Tensor?

  /// - Parameters:
  ///   - weight: W, [vocabulary, d].
  ///   - bias: c, [vocabulary].
  ///   - vocabulary: how many columns of the first layer meet logits; 0 for a network that reads hidden states, which
  ///     has nothing to fold and costs as little.
  ///   - arithmetic: of the products with A.
  init(
    weight: Tensor, bias: Tensor?, vocabulary: Int, scale: Tensor? = nil, shift: Tensor? = nil,
    arithmetic: DType = .float32
  ) {
    let columns = vocabulary > 0 ? scale?[0..<vocabulary] : nil
    let scaled = columns.map { weight.detached() * $0.unsqueezed(1) } ?? weight.detached()
    let isRounded = vocabulary > 0 && arithmetic == .bfloat16 && weight.isFusible
    self.weight = (isRounded ? scaled.to(.bfloat16) : scaled).transposed()
    self.bias = bias.map { bias in columns.map { bias.detached() * $0 } ?? bias.detached() }
    (self.scale, self.shift) = (scale, shift)
  }

  /// A·W for the columns of A that meet logits, [hidden, d]: the one large product of a step.
  fileprivate func product(_ columns: Tensor) -> Tensor { columns.linear(weight) }
}

/// A TempNet whose first layer is multiplied through an unembedding.
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
  /// The columns of A for the two scales, [hidden, 2]; only for scaled input.
  private let scales: Tensor?
  /// b, [hidden].
  private let bias: Tensor?

  init(_ network: TemperatureNetwork, _ unembedding: FoldedUnembedding) {
    let (settings, first) = (network.settings, network.transformation.weight)
    self.network = network
    let shift = unembedding.shift.map { first.matmul($0) }
    bias =
      shift.map { shift in network.transformation.bias.map { $0 - shift } ?? -shift } ?? network.transformation.bias
    if settings.input == .hidden {
      weight = unembedding.scale.map { first * $0 } ?? first
      (headBias, rowSums, scales) = (nil, nil, nil)
      return
    }
    let isScaled = settings.input == .scaled
    let wide = isScaled ? first.narrowed(1, 0..<settings.vocabulary) : first
    weight = unembedding.product(wide)
    headBias = unembedding.bias.map { wide.matmul($0) }
    if settings.input.isCentred {
      rowSums = unembedding.scale.map { wide.matmul($0[0..<settings.vocabulary]) } ?? wide.sum(1)
    } else {
      rowSums = nil
    }
    guard isScaled else {
      scales = nil
      return
    }
    let range = settings.vocabulary..<settings.inputSize
    let narrow = first.narrowed(1, range)
    scales = unembedding.scale.map { narrow * $0[range] } ?? narrow
  }

  /// The temperatures [N] of tokens.
  ///
  /// - Parameters:
  ///   - hidden: what the unembedding is applied to, [N, d].
  ///   - logits: statistics of the logits that the unembedding makes of them.
  ///   - training: whether hidden units are dropped at random.
  public func callAsFunction(hidden: Tensor, logits: LogitStatistics, training: Bool = false) -> Tensor {
    let epsilon = network.settings.normalisationEpsilon
    var product = hidden.detached().matmul(weight.transposed())
    if let headBias { product = product + headBias }
    if let rowSums { product = product - logits.maximum.unsqueezed(-1) * rowSums }
    var transformed = product / norm(hidden, logits).clamped(epsilon, nil).unsqueezed(-1)
    if let scales { transformed = transformed + logits.scales(epsilon).matmul(scales.transposed()) }
    if let bias { transformed = transformed + bias }
    return network.temperature(transformed: transformed, training: training)
  }

  /// What the network's input is divided by, [N].
  private func norm(_ hidden: Tensor, _ logits: LogitStatistics) -> Tensor {
    switch network.settings.input {
    case .logits: logits.norm
    case .centred, .scaled: logits.centredNorm
    case .hidden: hidden.detached().norm(-1)
    }
  }
}

extension TemperatureNetwork {
  /// This network with its first layer multiplied through an unembedding.
  ///
  /// - Parameters:
  ///   - unembedding: [vocabulary, d].
  ///   - bias: what the unembedding adds to the logits, [vocabulary].
  public func folded(unembedding: Tensor, bias: Tensor? = nil) -> FoldedTemperatureNetwork {
    FoldedTemperatureNetwork(
      self,
      FoldedUnembedding(
        weight: unembedding, bias: bias, vocabulary: settings.input == .hidden ? 0 : settings.vocabulary))
  }
}
