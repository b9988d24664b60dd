import TemperatureSettings
import Torch

/// The unembedding `z = W·h + c` of a language model as the first layer of a TempNet will meet it, so that a token costs
/// `hidden · d` multiplications instead of `hidden · vocabulary`:
///
///     A · z / n = (A·W)·(h/n) + (A·c)/n        and, for centred input,  A · (z - m) / n = … - (A·1)·(m/n)
///
/// In standardised coordinates A = A'·diag(s) and the bias is b' - A·ū (see `StandardisedNetwork`); then W, c and 1 are
/// scaled here, once, and not A' in every step, and from h/n, 1/n and m/n their means are taken, which is to take A·ū from
/// the product (see `FoldedMean`).
public struct FoldedUnembedding: Sendable {
  /// What A is multiplied with.
  private let factors: Factors
  fileprivate let standardisation: Standardisation?

  private enum Factors {
    /// W, [vocabulary, d], and c, [vocabulary], as they are.
    case separate(Tensor, Tensor?)
    /// All there is as one matrix in the type of the products' factors, made for many steps: one product with A, and in
    /// backward one gradient of A's size, where the vectors each for itself would make another.
    case joined(Tensor, JoinedRows)
  }

  /// The coordinates in which a network is trained.
  fileprivate struct Standardisation: Sendable {
    let mean: FoldedMean
    /// s, and s ∘ ū, [inputSize].
    let scale, shift: Tensor
  }

  /// - Parameters:
  ///   - weight: W, [vocabulary, d].
  ///   - bias: c, [vocabulary].
  public init(weight: Tensor, bias: Tensor?) {
    factors = .separate(weight.detached(), bias?.detached())
    standardisation = nil
  }

  /// In standardised coordinates.
  ///
  /// - Parameters:
  ///   - vocabulary: how many columns of the first layer meet logits; 0 for a network that reads hidden states, which
  ///     has nothing to fold and costs as little.
  ///   - scale, shift: s and s ∘ ū, [inputSize].
  ///   - computeType: of the products with A.
  init(
    weight: Tensor, bias: Tensor?, vocabulary: Int, mean: FoldedMean, scale: Tensor, shift: Tensor, computeType: DType
  ) {
    standardisation = Standardisation(mean: mean, scale: scale, shift: shift)
    guard vocabulary > 0 else {
      factors = .separate(weight, nil)
      return
    }
    let scales = scale[0..<vocabulary]
    let matrix = weight.detached() * scales.unsqueezed(1)
    let type = computeType == .bfloat16 && matrix.isCPUFloat32 ? .bfloat16 : matrix.dtype
    let rows = JoinedRows(width: weight.size(1), hasBias: bias != nil, isSplit: type == .bfloat16)
    factors = .joined(rows.joined(matrix, [scales] + (bias.map { [$0.detached() * scales] } ?? []), type), rows)
  }

  /// Of the columns of A that meet logits, [hidden, vocabulary]: the one large product of a step.
  fileprivate func products(_ columns: Tensor) -> FoldedProducts {
    switch factors {
    case .separate(let weight, let bias):
      FoldedProducts(
        weight: columns.linear(weight.transposed()), sums: columns.sum(1), bias: bias.map { columns.matmul($0) })
    case .joined(let matrix, let rows): rows.parts(columns.linear(matrix))
    }
  }
}

/// A·W, [hidden, d], and A's products with 1 and c, each [hidden].
private struct FoldedProducts {
  let weight, sums: Tensor
  let bias: Tensor?
}

/// How a matrix and the vectors beside it are joined: diag(s)·W's columns, then s and s ∘ c.
private struct JoinedRows {
  let width: Int
  let hasBias: Bool
  /// Whether each vector is there twice: rounded, and what rounding took from it, so that it counts with 16 bits. A is
  /// rounded for all of them alike, so that what cancels between them still does.
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
      return product.narrowed(1, (width + index * each)..<(width + (index + 1) * each)).sum(1)
    }
    return FoldedProducts(
      weight: product.narrowed(1, 0..<width), sums: vector(0), bias: hasBias ? vector(1) : nil)
  }
}

/// The inputs of a folded first layer for tokens: h/n, [N, d], 1/n and m/n, [N], where n is what the network's input is
/// divided by and m the greatest logit.
private struct FoldedInput {
  var hidden, reciprocal, maximum: Tensor

  init(_ settings: TempNetSettings, hidden: Tensor, logits: LogitStatistics) {
    let norm =
      switch settings.input {
      case .logits: logits.norm
      case .centred, .scaled: logits.centredNorm
      case .hidden: hidden.detached().norm(-1)
      }
    reciprocal = norm.clamped(settings.normalisationEpsilon, nil).reciprocal()
    self.hidden = hidden.detached() * reciprocal.unsqueezed(-1)
    maximum = logits.maximum * reciprocal
  }
}

/// The mean over tokens of what a folded first layer reads of them. The mean ū of a network's normalised inputs is linear in
/// it. Language models' tokens have nearly one direction in common; taken from them before the products, it leaves no large
/// terms that cancel, in the values and in the gradients, which bfloat16 would not leave.
public struct FoldedMean: Sendable {
  /// Of h/n, [d].
  fileprivate let hidden: Tensor
  /// Of 1/n and of m/n, [].
  fileprivate let reciprocal, maximum: Tensor
  private let isCentred: Bool

  /// - Parameters:
  ///   - hidden: what the unembedding is applied to, [N, d].
  ///   - logits: statistics of the logits that the unembedding makes of them.
  public init(_ settings: TempNetSettings, hidden: Tensor, logits: LogitStatistics) {
    let input = FoldedInput(settings, hidden: hidden, logits: logits)
    self.hidden = input.hidden.mean(0)
    reciprocal = input.reciprocal.mean(0)
    maximum = input.maximum.mean(0)
    isCentred = settings.input.isCentred
  }

  /// ū, [vocabulary], for an unembedding [vocabulary, d] and what it adds; without one, of inputs that are hidden states.
  public func ofInputs(_ unembedding: Tensor?, bias: Tensor?) -> Tensor {
    guard let unembedding else { return hidden }
    var mean = hidden.matmul(unembedding.transposed())
    if let bias { mean = mean + bias * reciprocal }
    return isCentred ? mean - maximum : mean
  }
}

/// The first layer of a TempNet, multiplied through an unembedding `z = W·h + c`. Evaluation multiplies with it, and
/// exports write it.
///
/// The products with `A` are differentiable, so gradients reach the network's own weights.
public struct FoldedFirstLayer: Sendable {
  /// A·W, [hidden, d]; A itself of a network that reads hidden states.
  public let weight: Tensor
  /// A·c, [hidden]; nil for an unembedding without a bias.
  public let headBias: Tensor?
  /// A·1, [hidden]; of centred input alone.
  public let rowSums: Tensor?
  /// The columns of A for the two scales, [hidden, 2]; of scaled input alone.
  public let scales: Tensor?
  /// b, [hidden], less what the means of the scales bring.
  public let bias: Tensor?

  public init(_ network: TemperatureNetwork, _ unembedding: FoldedUnembedding) {
    let (settings, first) = (network.settings, network.transformation.weight)
    let coordinates = unembedding.standardisation
    if settings.input == .hidden {
      weight = coordinates.map { first * $0.scale } ?? first
      (headBias, rowSums, scales, bias) = (nil, nil, nil, network.transformation.bias)
      return
    }
    let isScaled = settings.input == .scaled
    let products = unembedding.products(isScaled ? first.narrowed(1, 0..<settings.vocabulary) : first)
    weight = products.weight
    headBias = products.bias
    rowSums = settings.input.isCentred ? products.sums : nil
    guard isScaled else {
      (scales, bias) = (nil, network.transformation.bias)
      return
    }
    let range = settings.vocabulary..<settings.inputSize
    let narrow = first.narrowed(1, range)
    scales = coordinates.map { narrow * $0.scale[range] } ?? narrow
    let shift = coordinates.map { narrow.matmul($0.shift[range]) }
    bias =
      shift.map { shift in network.transformation.bias.map { $0 - shift } ?? -shift } ?? network.transformation.bias
  }
}

/// A TempNet whose first layer is multiplied through an unembedding.
///
/// Folding is for one version of the weights: fold again after a step of the optimiser.
public struct FoldedTemperatureNetwork: Sendable {
  private let network: TemperatureNetwork
  private let mean: FoldedMean?
  private let first: FoldedFirstLayer

  init(_ network: TemperatureNetwork, _ unembedding: FoldedUnembedding) {
    self.network = network
    mean = unembedding.standardisation?.mean
    first = FoldedFirstLayer(network, unembedding)
  }

  /// The temperatures [N] of tokens.
  ///
  /// - Parameters:
  ///   - hidden: what the unembedding is applied to, [N, d].
  ///   - logits: statistics of the logits that the unembedding makes of them.
  ///   - training: whether hidden units are dropped at random.
  public func callAsFunction(hidden: Tensor, logits: LogitStatistics, training: Bool = false) -> Tensor {
    var input = FoldedInput(network.settings, hidden: hidden, logits: logits)
    if let mean {
      input.hidden = input.hidden - mean.hidden
      input.reciprocal = input.reciprocal - mean.reciprocal
      input.maximum = input.maximum - mean.maximum
    }
    var transformed = input.hidden.matmul(first.weight.transposed())
    if let headBias = first.headBias { transformed = transformed + input.reciprocal.unsqueezed(-1) * headBias }
    if let rowSums = first.rowSums { transformed = transformed - input.maximum.unsqueezed(-1) * rowSums }
    if let scales = first.scales {
      transformed = transformed + logits.scales(network.settings.normalisationEpsilon).matmul(scales.transposed())
    }
    if let bias = first.bias { transformed = transformed + bias }
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
    FoldedTemperatureNetwork(
      self,
      FoldedUnembedding(weight: unembedding, bias: bias))
  }
}
