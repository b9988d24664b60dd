import Torch

/// What a temperature makes of predictions, for `p = softmax(z/τ)` and the right token y. All [N], float32.
struct TemperedPrediction {
  /// `-ln p_y`, in nats.
  let crossEntropy: Tensor
  /// `max p`.
  let confidence: Tensor
  /// `Σ (p_i - [i = y])²`.
  let brier: Tensor

  /// - Parameters:
  ///   - centred: logits minus the maximum of their row, float32 [N, V].
  ///   - labels: int64 [N].
  ///   - tau: [N].
  init(centred: Tensor, labels: Tensor, tau: Tensor) {
    let logProbabilities = (centred / tau.unsqueezed(-1)).logSoftmax(-1)
    let right = logProbabilities.gathered(-1, labels.unsqueezed(-1)).squeezed(-1)
    crossEntropy = -right
    confidence = logProbabilities.maximum(-1).exp()
    let squares = (logProbabilities * 2).exp().sum(-1, dtype: .float64)
    // The square of the right token's part, (p_y - 1)², is p_y² - 2 p_y + 1.
    brier = (squares - right.to(.float64).exp() * 2 + 1).clamped(0, 2).to(.float32)
  }
}
