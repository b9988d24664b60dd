import TempNet
import Torch

/// Measures of tempered predictions `p = softmax(z/τ)` against the right tokens y. All [N], float32.
struct TemperedPrediction {
  /// `-ln p_y`, in nats.
  let crossEntropy: Tensor
  /// `max p`.
  let confidence: Tensor
  /// `Σ (p_i - [i = y])²`.
  let brier: Tensor

  /// - Parameters:
  ///   - logits: [N, V].
  ///   - labels: int64 [N].
  ///   - tau: [N].
  init(logits: Tensor, labels: Tensor, tau: Tensor) {
    let statistics = TemperedStatistics(logits: logits, tau: tau)
    let target = (logits.gathered(-1, labels.unsqueezed(-1)).squeezed(-1) - logits.maximum(-1)).to(.float64)
    let right = target / tau.to(.float64) - statistics.logPartition
    crossEntropy = (-right).to(.float32)
    // Logits are counted from the greatest, whose own term in the partition is exp(0) = 1.
    confidence = (-statistics.logPartition).exp().to(.float32)
    // Σ p² counts the right token as p_y² instead of (p_y - 1)² = p_y² - 2 p_y + 1.
    brier = (statistics.collision - right.exp() * 2 + 1).clamped(0, 2).to(.float32)
  }
}
