import Torch

/// Statistics of rows of logits z that a TempNet reads beside their direction; m is a row's largest logit. All [...].
public struct LogitStatistics: Sendable {
  /// m
  public let maximum: Tensor
  /// ‖z‖
  public let norm: Tensor
  /// ‖z - m‖
  public let centredNorm: Tensor
  /// The standard deviation of z over the vocabulary.
  public let spread: Tensor

  public init(maximum: Tensor, norm: Tensor, centredNorm: Tensor, spread: Tensor) {
    self.maximum = maximum
    self.norm = norm
    self.centredNorm = centredNorm
    self.spread = spread
  }

  /// Of logits [..., V].
  public init(_ logits: Tensor) {
    let logits = logits.detached()
    let largest = logits.maximum(-1, keeping: true)
    let centred = logits - largest
    let deviation = centred - centred.mean(-1, keeping: true)
    self.init(
      maximum: largest.squeezed(-1), norm: logits.norm(-1), centredNorm: centred.norm(-1),
      spread: deviation.norm(-1) / Double(logits.size(-1)).squareRoot())
  }

  /// Of logits `hidden · weightᵀ + bias` [N, V] whose maxima and norms are stored. The spread follows from these, because
  /// the mean of the logits is linear in the hidden state:
  ///
  ///     spread² = ‖z - m‖²/V - (mean(z) - m)²
  ///
  /// - Parameters:
  ///   - hidden: [N, d].
  ///   - weight: the unembedding, [V, d].
  ///   - bias: [V].
  public init(
    maximum: Tensor, norm: Tensor, centredNorm: Tensor, hidden: Tensor, weight: Tensor, bias: Tensor?
  ) {
    // In float64, because two nearly equal numbers are subtracted.
    let mean = MeanLogit(weight: weight, bias: bias)(hidden)
    let square = centredNorm.to(.float64).square() / Double(weight.size(0)) - (mean - maximum.to(.float64)).square()
    self.init(
      maximum: maximum, norm: norm, centredNorm: centredNorm,
      spread: square.clamped(0, nil).sqrt().to(maximum.dtype))
  }

  /// The statistics of the rows that an integer tensor of rank 1 names.
  public func rows(_ indices: Tensor) -> LogitStatistics {
    LogitStatistics(
      maximum: maximum.selected(0, indices: indices), norm: norm.selected(0, indices: indices),
      centredNorm: centredNorm.selected(0, indices: indices), spread: spread.selected(0, indices: indices))
  }

  /// The two further columns of a scaled input, [..., 2]: ln ‖z - m‖ and ln spread.
  public func scales(_ epsilon: Double) -> Tensor {
    Tensor.stack([centredNorm, spread], dimension: -1).clamped(epsilon, nil).log()
  }
}

/// The mean of the logits that an unembedding makes of hidden states, which is linear in them.
public struct MeanLogit: Sendable {
  /// The mean of the unembedding's rows, float64 [d].
  private let direction: Tensor
  private let bias: Tensor?

  /// - Parameters:
  ///   - weight: the unembedding, [V, d].
  ///   - bias: [V].
  public init(weight: Tensor, bias: Tensor? = nil) {
    // In chunks, because libtorch would hold the whole unembedding in float64.
    let total = rowChunks(weight.size(0), width: weight.size(1)).reduce(
      Tensor.zeros([weight.size(1)], dtype: .float64, device: weight.device)
    ) { total, rows in total + weight[rows].sum(0, dtype: .float64) }
    direction = total / Double(weight.size(0))
    self.bias = bias.map { $0.sum(0, dtype: .float64) / Double(weight.size(0)) }
  }

  /// float64 [N] of hidden states [N, d].
  public func callAsFunction(_ hidden: Tensor) -> Tensor {
    let mean = Tensor.concatenate(
      rowChunks(hidden.size(0), width: hidden.size(1)).map { hidden[$0].to(.float64).matmul(direction) })
    return bias.map { mean + $0 } ?? mean
  }
}
