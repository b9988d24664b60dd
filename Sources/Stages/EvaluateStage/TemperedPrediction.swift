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
    // The greatest logit, from which all are counted, adds exp(0) to the partition.
    confidence = (-statistics.logPartition).exp().to(.float32)
    // The square of the right token's part, (p_y - 1)², is p_y² - 2 p_y + 1.
    brier = (statistics.collision - right.exp() * 2 + 1).clamped(0, 2).to(.float32)
  }
}
