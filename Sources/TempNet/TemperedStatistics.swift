import Torch

/// Moments of `p = softmax(x/τ)` for rows of logits `x` counted from their maximum; from them follow the robust loss,
/// its slope and its curvature in τ. Sums run in float64 whatever the type of the logits.
public struct TemperedStatistics: Sendable {
  /// log Σ exp(x/τ), float64 [N].
  public let logPartition: Tensor
  /// The mean of x/τ under p, float64 [N].
  public let mean: Tensor
  /// The variance of x/τ under p, float64 [N]; also the derivative of the entropy by ln τ.
  public let variance: Tensor

  /// The entropy of p in nats, float64 [N].
  public var entropy: Tensor { logPartition - mean }

  /// Below this, exp is 0 in every type; stopping there keeps 0 · ∞ out of the sums for logits of any size.
  private static let leastExponent = -1000.0

  /// - Parameters:
  ///   - centred: logits minus the maximum of their row, [N, V].
  ///   - tau: [N].
  public init(centred: Tensor, tau: Tensor) {
    let exponents = (centred / tau.to(centred.dtype).unsqueezed(-1)).clamped(Self.leastExponent, nil)
    let weights = exponents.exp()
    let weighted = weights * exponents
    let partition = weights.sum(-1, dtype: .float64)
    logPartition = partition.log()
    mean = weighted.sum(-1, dtype: .float64) / partition
    let secondMoment = (weighted * exponents).sum(-1, dtype: .float64) / partition
    variance = (secondMoment - mean.square()).clamped(0, nil)
  }
}

/// How many logits are worked on at once: enough to keep libtorch busy, few enough that memory stays flat and the
/// intermediate results stay in cache.
let chunkElements = 1 << 20

/// The row ranges of a matrix [rows, width] that is worked on chunk by chunk.
func rowChunks(_ rows: Int, width: Int) -> [Range<Int>] {
  let size = max(1, chunkElements / max(1, width))
  return stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
}
