import TemperatureSettings
import Torch

/// Records of N scored positions, from which the temperature and the metrics of any policy follow without the model.
public struct TokenRecords: Sendable {
  /// Over temperatures from half the least one that may be answered: the Brier score at a temperature needs the profile at
  /// half of it.
  public let profile: TemperatureProfile
  /// The greatest logit m, float32 [N].
  public let maximum: Tensor
  /// ‖z‖ and ‖z - m‖, float32 [N].
  public let norm, centredNorm: Tensor
  /// The mean of z - m over the vocabulary, float32 [N].
  public let mean: Tensor
  /// The logit of the label, float32 [N].
  public let labelLogit: Tensor
  /// int64 [N]
  public let label: Tensor
  /// The last hidden states, float32 [N, d]; nil in records without.
  public let hidden: Tensor?
  /// V
  public let vocabulary: Int

  public var count: Int { label.size(0) }

  public init(
    profile: TemperatureProfile, maximum: Tensor, norm: Tensor, centredNorm: Tensor, mean: Tensor, labelLogit: Tensor,
    label: Tensor, hidden: Tensor?, vocabulary: Int
  ) {
    self.profile = profile
    (self.maximum, self.norm, self.centredNorm, self.mean) = (maximum, norm, centredNorm, mean)
    (self.labelLogit, self.label, self.hidden, self.vocabulary) = (labelLogit, label, hidden, vocabulary)
  }

  /// x_y: the label's logit minus the greatest, float64 [N].
  public var target: Tensor { labelLogit.to(.float64) - maximum.to(.float64) }

  /// Whether no logit is greater than the label's, bool [N].
  public var isCorrect: Tensor { target.less(0).not() }

  /// The entropy at temperature 1 in nats, float64 [N].
  public var entropy: Tensor { profile(at: 1).entropy }

  /// The measurements of the logits that a TempNet reads besides their direction:
  ///
  ///     spread² = ‖z - m‖²/V - mean(z - m)²
  public var statistics: LogitStatistics {
    let square = centredNorm.to(.float64).square() / Double(vocabulary) - mean.to(.float64).square()
    return LogitStatistics(
      maximum: maximum, norm: norm, centredNorm: centredNorm, spread: square.clamped(0, nil).sqrt().to(maximum.dtype))
  }
}

/// Makes records of hidden states.
public struct TokenRecorder: Sendable {
  private let weight: Tensor
  private let meanLogit: MeanLogit
  private let grid: TemperatureGrid

  /// - Parameter weight: the unembedding as a factor of the logits, [V, d].
  public init(weight: Tensor, grid: TemperatureGrid) {
    self.weight = weight
    self.grid = grid
    meanLogit = withoutGradients { MeanLogit(weight: weight) }
  }

  /// - Parameters:
  ///   - hidden: [N, d]; rounded to the type of the unembedding, as the product takes them.
  ///   - labels: int64 [N].
  public func callAsFunction(hidden: Tensor, labels: Tensor) -> TokenRecords {
    withoutGradients {
      let hidden = hidden.to(weight.dtype).to(.float32)
      let found = ProfiledLogits.compute(hidden: hidden, weight: weight, labels: labels, grid: grid)
      let mean = meanLogit(hidden) - found.maximum.to(.float64)
      return TokenRecords(
        profile: found.profile, maximum: found.maximum, norm: found.norm, centredNorm: found.centredNorm,
        mean: mean.to(.float32), labelLogit: found.labelLogit, label: labels, hidden: hidden,
        vocabulary: weight.size(0))
    }
  }
}
