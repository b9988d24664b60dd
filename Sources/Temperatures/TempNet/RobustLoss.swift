import TemperatureSettings
import Torch

/// The robust loss of one prediction: the dual of the worst expected logit gap under distributions within `rho` nats of
/// the uniform one (arXiv 2404.04575),
///
///     ℓ(z, y, τ) = τ · CE(z/τ, y) + (ρ - ln V) · τ
///
/// It is convex in τ, and its slope `H(softmax(z/τ)) - (ln V - ρ)` does not contain the label: the best temperature is the
/// one at which the tempered distribution has entropy `ln V - ρ`.
public enum RobustLoss {
  /// Labels that take no part: a row labelled so has loss 0 and sends no gradient.
  public static let ignoredLabel = -100

  /// The loss of each row, [N].
  ///
  /// - Parameters:
  ///   - logits: [N, V].
  ///   - labels: int64 [N]; `ignoredLabel` leaves a row out.
  ///   - tau: [N].
  ///   - rho: the divergence budget in nats.
  public static func perToken(logits: Tensor, labels: Tensor, tau: Tensor, rho: Double) -> Tensor {
    let entropy = RobustBudget.targetEntropy(alternatives: logits.size(-1), rho: rho)
    let loss = tau * (temperedNegativeLogLikelihood(logits: logits, labels: labels, tau: tau) - entropy)
    return loss.masked(labels.equal(Double(ignoredLabel)), with: 0)
  }

  /// The cross-entropy of each row at its temperature, `CE(z/τ, y)`, [N]; shapes and masking as in `perToken`.
  public static func temperedCrossEntropy(logits: Tensor, labels: Tensor, tau: Tensor) -> Tensor {
    temperedNegativeLogLikelihood(logits: logits, labels: labels, tau: tau)
      .masked(labels.equal(Double(ignoredLabel)), with: 0)
  }

  private static func temperedNegativeLogLikelihood(logits: Tensor, labels: Tensor, tau: Tensor) -> Tensor {
    precondition(
      logits.rank == 2 && labels.shape == [logits.size(0)] && tau.shape == labels.shape,
      "logits \(logits.shape), labels \(labels.shape), temperatures \(tau.shape)")
    // Only differences of logits matter; taking the maximum off first keeps the quotients small and exact.
    let centred = logits - logits.detached().maximum(-1, keeping: true)
    let logProbabilities = (centred / tau.unsqueezed(-1)).logSoftmax(-1)
    let targets = labels.masked(labels.equal(Double(ignoredLabel)), with: 0)
    return -logProbabilities.gathered(-1, targets.unsqueezed(-1)).squeezed(-1)
  }
}
