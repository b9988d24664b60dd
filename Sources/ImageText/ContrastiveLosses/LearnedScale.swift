import Glibc
import Torch

/// One temperature for all anchors, learned as open_clip learns it: the parameter is `ln(1 / τ)`, of rank 0.
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
