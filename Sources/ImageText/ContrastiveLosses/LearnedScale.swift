import Glibc
import Torch

/// One temperature for all anchors, learned as open_clip learns it: the parameter is `ln(1 / τ)`, of rank 0.
///
/// FastCLIP v3 (Wei et al. 2024, arXiv 2407.01445) learns it with a robust loss: it descends the mean over both sides of
/// `τ ln u + ρ τ`, u being the moving average of `mean_{j≠i} exp(x_ij)` and γ a `GammaSchedule.cosine`. Taken from `FastCLIPLoss` in
/// `src/fast_clip/loss.py` of Optimization-AI/fast_clip: the exponents, the mean over B - 1 negatives, the first u, ε and the
/// clamp. One thing differs. That code records gradients of the scale in both halves of its loss, that of a process's own
/// anchors and that of its candidates, so that τ counts twice where it divides the similarities. Here it counts once, which is
/// the derivative of the objective as the paper states it.
public enum LearnedScale {
  /// What it is clamped to after each step, as in open_clip: temperatures from 0.01 to 1.
  public static let bounds = 0...log(100.0)

  /// The start for a first temperature.
  public static func initial(temperature: Double) -> Double { -log(temperature) }

  public static func temperature(_ parameter: Tensor) -> Double { exp(-parameter.item) }

  public static func clamp(_ parameter: Tensor) {
    parameter.copy(from: parameter.detached().clamped(bounds.lowerBound, bounds.upperBound))
  }

  /// dL / d ln(1/τ) = -τ Σ_i dL / dτ_i, over the anchors of both sides.
  ///
  /// - Parameter temperature: τ.
  public static func gradient(_ gradient: ContrastiveGradient, temperature: Double) -> Tensor {
    (gradient.image.tau.sum() + gradient.text.tau.sum()) * -temperature
  }
}
