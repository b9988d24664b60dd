import Torch

/// The unembedding `z = W·h + c` of a language model as the first layer of a TempNet will meet it, so that a token costs
/// `hidden · d` multiplications instead of `hidden · vocabulary`:
///
///     A · z / n = ((A·W)·h + A·c) / n        and, for centred input,  A · (z - m) / n = ((A·W)·h + A·c - m·(A·1)) / n
///
/// In standardised coordinates A = A'·diag(s) and the bias is b' - A·ū (see `StandardisedNetwork`); then W, c, 1 and ū
/// are scaled here, once, and not A' in every step.
public struct FoldedUnembedding: Sendable {
  /// What A is multiplied with.
  private let factors: Factors
  /// s, [inputSize]; nil for 1.
  fileprivate let scale: Tensor?
  /// s ∘ ū, [inputSize]; nil for 0.
  fileprivate let shift: Tensor?

  private enum Factors {
    /// W, [vocabulary, d], and c, [vocabulary], as they are.
    case separate(Tensor, Tensor?)
    /// All there is as one matrix in the type of the products' factors, made for many steps: one product with A, and in
    /// backward one gradient of A's size, where the vectors for themselves would make another each.
    case joined(Tensor, JoinedRows)
  }

  /// - Parameters:
  ///   - weight: W, [vocabulary, d].
  ///   - bias: c, [vocabulary].
  init(weight: Tensor, bias: Tensor?) {
    factors = .separate(weight.detached(), bias?.detached())
    (scale, shift) = (nil, nil)
  }

  /// In standardised coordinates.
  ///
  /// - Parameters:
  ///   - vocabulary: how many columns of the first layer meet logits; 0 for a network that reads hidden states, which
  ///     has nothing to fold and costs as little.
  ///   - arithmetic: of the products with A.
  init(weight: Tensor, bias: Tensor?, vocabulary: Int, scale: Tensor, shift: Tensor, arithmetic: DType) {
    (self.scale, self.shift) = (scale, shift)
    let logits = 0..<vocabulary
    let type = arithmetic == .bfloat16 && weight.isFusible ? arithmetic : weight.dtype
    let rows = JoinedRows(width: weight.size(1), hasBias: bias != nil, isSplit: type == .bfloat16)
    // A network that reads hidden states has nothing to multiply.
    guard vocabulary > 0 else {
      factors = .separate(weight, nil)
      return
    }
    let scales = scale[logits]
    let vectors = [scales, shift[logits]] + (bias.map { [$0.detached() * scales] } ?? [])
    factors = .joined(rows.joined(weight.detached() * scales.unsqueezed(1), vectors, type), rows)
  }

  /// Of the columns of A that meet logits, [hidden, vocabulary]: the one large product of a step.
  fileprivate func products(_ columns: Tensor) -> FoldedProducts {
    switch factors {
    case .separate(let weight, let bias):
      FoldedProducts(
        weight: columns.linear(weight.transposed()), sums: columns.sum(1), shift: nil,
        bias: bias.map { columns.matmul($0) })
    case .joined(let matrix, let rows): rows.parts(columns.linear(matrix))
    }
  }
}

/// A·W, [hidden, d], and A's products with 1, ū and c, each [hidden].
private struct FoldedProducts {
  let weight, sums: Tensor
  let shift, bias: Tensor?
}

/// How a matrix and the vectors beside it are joined: diag(s)·W's columns, then s, s ∘ ū and s ∘ c.
private struct JoinedRows {
  let width: Int
  let hasBias: Bool
  /// Whether each vector is there twice: rounded, and what rounding took from it, so that it counts with 16 bits.
  let isSplit: Bool

  /// [width + vectors, vocabulary].
  func joined(_ matrix: Tensor, _ vectors: [Tensor], _ type: DType) -> Tensor {
    let columns = vectors.flatMap { vector in
      isSplit ? [vector, vector - vector.to(type).to(vector.dtype)] : [vector]
    }
    return Tensor.concatenate([matrix.to(type)] + columns.map { $0.unsqueezed(1).to(type) }, dimension: 1).transposed()
  }

  func parts(_ product: Tensor) -> FoldedProducts {
    func vector(_ index: Int) -> Tensor {
      let each = isSplit ? 2 : 1
      let columns = product.narrowed(1, (width + index * each)..<(width + (index + 1) * each))
      return columns.sum(1)
    }
    return FoldedProducts(
      weight: product.narrowed(1, 0..<width), sums: vector(0), shift: vector(1), bias: hasBias ? vector(2) : nil)
  }
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
    func bias(without shift: Tensor?) -> Tensor? {
      guard let shift else { return network.transformation.bias }
      return network.transformation.bias.map { $0 - shift } ?? -shift
    }
    if settings.input == .hidden {
      weight = unembedding.scale.map { first * $0 } ?? first
      self.bias = bias(without: unembedding.shift.map { first.matmul($0) })
      (headBias, rowSums, scales) = (nil, nil, nil)
      return
    }
    let isScaled = settings.input == .scaled
    let products = unembedding.products(isScaled ? first.narrowed(1, 0..<settings.vocabulary) : first)
    weight = products.weight
    headBias = products.bias
    rowSums = settings.input.isCentred ? products.sums : nil
    guard isScaled else {
      scales = nil
      self.bias = bias(without: products.shift)
      return
    }
    let range = settings.vocabulary..<settings.inputSize
    let narrow = first.narrowed(1, range)
    scales = unembedding.scale.map { narrow * $0[range] } ?? narrow
    let shift = products.shift.flatMap { shift in unembedding.shift.map { shift + narrow.matmul($0[range]) } }
    self.bias = bias(without: shift)
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
      FoldedUnembedding(weight: unembedding, bias: bias))
  }
}
