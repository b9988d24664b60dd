import Diagnostics
import TemperatureSettings
import Torch

/// Measures of tempered predictions `p = softmax(z/τ)` against the right tokens y, read from records. All float64 [N].
public struct RecordedPrediction {
  /// `-ln p_y`, in nats.
  public let crossEntropy: Tensor
  /// `max p`.
  public let confidence: Tensor
  /// `Σ (p_i - [i = y])²`.
  public let brier: Tensor

  /// Below the grid a prediction is known only where its likeliest token has all the probability but this share.
  private static let negligible = 1e-9

  /// - Parameter tau: [N].
  /// - Throws: `.badConfiguration`, without a place, for a temperature that the records do not answer.
  public init(_ records: TokenRecords, tau: Tensor) throws {
    let tau = tau.to(.float64)
    let log = try Self.logPartition(records, tau)
    let right = records.target / tau - log
    crossEntropy = -right
    // Logits are counted from the greatest, whose own term in the partition is exp(0) = 1.
    confidence = (-log).exp()
    // Σ p² = exp(L(τ/2) - 2 L(τ)); it counts the right token as p_y² instead of (p_y - 1)² = p_y² - 2 p_y + 1.
    let collision = (Self.clampedLogPartition(records.profile, tau * 0.5) - log * 2).exp()
    brier = (collision - right.exp() * 2 + 1).clamped(0, 2)
  }

  /// L(τ) = log Σ exp(x/τ), float64 [N].
  private static func logPartition(_ records: TokenRecords, _ tau: Tensor) throws -> Tensor {
    let bounds = RecordGrid.bounds(of: records.profile.grid)
    let (low, high) = (bounds.lowerBound * (1 - 1e-6), bounds.upperBound * (1 + 1e-6))
    // L rises with τ, so where it is negligible at the end of the grid, it is below the grid too.
    let isUnknown =
      tau.less(low).to(.float64) * clampedLogPartition(records.profile, tau).greater(negligible).to(.float64)
    let outside = isUnknown + tau.greater(high).to(.float64)
    if outside.sum().item > 0 {
      let worst = tau.selected(0, at: Int(outside.argmax(0).integers[0])).item
      throw Failure(
        .badConfiguration,
        "temperature \(shortest(worst)) lies outside those that the records answer, "
          + "\(shortest(bounds.lowerBound)) to \(shortest(bounds.upperBound)); score again with tau_min and tau_max around it"
      )
    }
    return clampedLogPartition(records.profile, tau)
  }

  /// L at the temperature, or at the end of the grid beyond which the temperature lies.
  private static func clampedLogPartition(_ profile: TemperatureProfile, _ tau: Tensor) -> Tensor {
    let inside = tau.clamped(profile.grid.bounds.lowerBound, profile.grid.bounds.upperBound)
    return profile(at: inside).value / inside
  }
}
