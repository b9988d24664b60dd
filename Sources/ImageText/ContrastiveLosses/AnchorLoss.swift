import Glibc
import Torch

/// The loss of an anchor against the candidates of a batch of B pairs. With s_ij the similarity of anchor i and candidate j,
/// the pair being j = i, and x_ij = (s_ij - s_ii) / τ_i:
public enum AnchorLoss: Equatable, Sendable {
  /// `ln Σ_j exp(x_ij)` with the pair among the candidates: the cross-entropy of CLIP (Radford et al. 2021).
  case crossEntropy
  /// `τ_i · ln mean_{j≠i} exp(x_ij) + ρ τ_i`, whose mean is estimated over the steps: the robust loss without the pair.
  case robust(MovingAverage)
}

/// How the normaliser of an anchor is estimated from the batches in which it stands (SogCLR; Yuan et al. 2022,
/// arXiv 2202.12387). With `g = Σ_{j≠i} exp(x_ij - b)`, or the mean, and b the largest exponent seen so far:
///
///     s ← (1 - γ) s exp(b_old - b) + γ g,  and s ← g the first time
public struct MovingAverage: Equatable, Sendable {
  /// How g is scaled. It makes no difference to the gradient but through the least s.
  public enum Normaliser: Sendable {
    /// As published for iSogCLR and TempNet.
    case sum
    /// Over the B - 1 negatives, as published for SogCLR.
    case mean
  }

  /// γ, the share of the batch at hand; 1 forgets all others.
  public var gamma: Double
  public var normaliser: Normaliser
  /// ρ in nats. It only counts in the slopes of temperatures.
  public var rho: Double
  /// The least s that is divided by.
  public var epsilon: Double

  public init(gamma: Double, normaliser: Normaliser = .mean, rho: Double = 0, epsilon: Double = 1e-14) {
    (self.gamma, self.normaliser, self.rho, self.epsilon) = (gamma, normaliser, rho, epsilon)
  }
}

/// The moving averages of some anchors.
public struct AnchorAverages: Sendable {
  /// [B].
  public let s: Tensor
  /// [B].
  public let b: Tensor
  /// Where an anchor takes the batch's own normaliser, as in its first step; bool [B].
  public let isNew: Tensor

  /// - Parameter isNew: nil for the anchors whose s is 0, as before any step and after an underflow.
  public init(s: Tensor, b: Tensor, isNew: Tensor? = nil) {
    (self.s, self.b) = (s, b)
    self.isNew = isNew ?? s.less(1e-35)
  }

  func rows(_ range: Range<Int>) -> AnchorAverages {
    AnchorAverages(s: s[range], b: b[range], isNew: isNew[range])
  }
}

/// The figures of some anchors, all [R].
struct AnchorFigures {
  /// The value that is minimised. Of a robust loss it is the surrogate `Σ_j w_ij (s_ij - s_ii)`, whose weights
  /// `w_ij = exp(x_ij - b) / s` are constants of the step.
  let loss: Tensor
  /// The derivative of the anchor's loss by its temperature; of a robust loss the estimate
  /// `ln(s / (B - 1)) + b + ρ - Σ_j w_ij x_ij`.
  let slope: Tensor
  /// `ln Σ_j exp(x_ij)`, whatever the loss.
  let crossEntropy: Tensor
  /// The averages after the step; nil of a loss without them.
  let averages: AnchorAverages?

  static func joined(_ parts: [AnchorFigures]) -> AnchorFigures {
    guard parts.count > 1 else { return parts[0] }
    func all(_ member: (AnchorFigures) -> Tensor) -> Tensor { .concatenate(parts.map(member)) }
    return AnchorFigures(
      loss: all(\.loss), slope: all(\.slope), crossEntropy: all(\.crossEntropy),
      averages: parts[0].averages == nil
        ? nil
        : AnchorAverages(s: all { $0.averages!.s }, b: all { $0.averages!.b }, isNew: all { $0.averages!.isNew }))
  }
}

extension AnchorLoss {
  /// The figures of R anchors, and the gradient of the sum of their losses by their similarities, [R, B].
  ///
  /// - Parameters:
  ///   - similarity: [R, B].
  ///   - first: the number of the first anchor in the batch.
  ///   - tau: [R].
  ///   - averages: before the step, of a robust loss.
  func evaluate(
    similarity: Tensor, first: Int, tau: Tensor, averages: AnchorAverages?
  ) -> (figures: AnchorFigures, gradient: Tensor) {
    let (rows, columns) = (similarity.size(0), similarity.size(1))
    let pair = (Tensor.arange(rows, device: similarity.device) + Double(first)).to(.int64).unsqueezed(1)
    let isPair = Tensor.arange(columns, device: similarity.device).equal(pair)
    let x = (similarity - similarity.gathered(1, pair)) / tau.unsqueezed(1)
    let most = x.maximum(1)
    let shift = averages.map { most.clamped($0.b, nil) } ?? most
    let exponentials = (x - shift.unsqueezed(1)).exp().masked(isPair, with: 0)
    let sums = Sums(
      total: exponentials.sum(1), weighted: (exponentials * x).sum(1), shift: shift, tau: tau,
      negatives: Double(columns - 1))
    let (figures, coefficient) = figures(sums, averages)
    let weights = exponentials * coefficient.unsqueezed(1)
    // What moves all candidates away moves the pair nearer: every row of the gradient sums to 0.
    return (figures, weights - isPair.to(weights.dtype) * (coefficient * sums.total).unsqueezed(1))
  }

  /// Sums over the negatives of each anchor, all [R] but their number.
  private struct Sums {
    /// Σ_{j≠i} exp(x_ij - b).
    let total: Tensor
    /// Σ_{j≠i} exp(x_ij - b) x_ij.
    let weighted: Tensor
    /// b.
    let shift: Tensor
    let tau: Tensor
    let negatives: Double

    /// Σ_j exp(x_ij - b), with the pair.
    var withPair: Tensor { total + (-shift).exp() }
    var crossEntropy: Tensor { withPair.clamped(1e-37, nil).log() + shift }
  }

  /// - Returns: the figures, and the factor of each anchor's exponentials in the gradient.
  private func figures(_ sums: Sums, _ averages: AnchorAverages?) -> (AnchorFigures, Tensor) {
    switch self {
    case .crossEntropy:
      let partition = sums.withPair
      let figures = AnchorFigures(
        loss: sums.crossEntropy, slope: -(sums.weighted / partition / sums.tau), crossEntropy: sums.crossEntropy,
        averages: nil)
      return (figures, (partition * sums.tau).reciprocal())
    case .robust(let average):
      guard let averages else { preconditionFailure("a robust loss needs its anchors' averages") }
      let divisor = average.normaliser == .mean ? sums.negatives : 1
      let g = sums.total / divisor
      let old = averages.s * (averages.b - sums.shift).exp()
      let s = averages.isNew.choose(g, old * (1 - average.gamma) + g * average.gamma)
      let normaliser = s.clamped(average.epsilon, nil) * divisor
      let mean = sums.weighted / normaliser
      let figures = AnchorFigures(
        loss: mean * sums.tau,
        slope: normaliser.log() - log(sums.negatives) + sums.shift + average.rho - mean,
        crossEntropy: sums.crossEntropy, averages: AnchorAverages(s: s, b: sums.shift, isNew: averages.isNew))
      return (figures, normaliser.reciprocal())
    }
  }
}
