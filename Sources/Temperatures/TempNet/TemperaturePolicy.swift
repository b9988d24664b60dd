import Glibc
import TemperatureSettings
import Torch

/// A rule that gives each prediction its softmax temperature.
public enum TemperaturePolicy: Sendable {
  /// The same temperature for every prediction.
  case fixed(Double)
  /// The prediction of a TempNet from the logits.
  case tempnet(TemperatureNetwork)
  /// The optimum of the robust loss for each prediction, whose tempered distribution has this entropy in nats.
  case exact(entropy: Double, bounds: ClosedRange<Double>)
  /// `base · 0.8^(theta / H)` with H the entropy at temperature 1 (EDT; Zhang et al. 2024, arXiv 2403.14541): the surer
  /// the model, the lower.
  case entropyDynamic(base: Double, theta: Double)
  /// From the lower to the upper end of a range as the entropy at temperature 1 goes from 0 to that of a uniform
  /// distribution: `low + (high - low) · (H / ln V)^exponent`, llama.cpp's dynamic temperature. Low may be 0.
  case dynamicRange(ClosedRange<Double>, exponent: Double)
  /// A higher temperature for predictions whose entropy at temperature 1 exceeds a threshold in nats, a lower one for the
  /// others (arXiv 2510.08892).
  case entropyLevels(low: Double, high: Double, threshold: Double)
  /// The most uncertain distribution whose divergence from the model's own is at most a radius in nats: it only heats.
  case divergenceBall(radius: Double)

  /// The range of exact temperatures where neither settings nor a TempNet name any.
  public static let widestBounds = 0.25...4.0

  /// What EDT's temperatures cannot fall below; its formula gives 0 where the model is sure.
  private static let leastDynamic = 1e-3
  /// The lower limit of a dynamic range from 0 on, which still leaves only the likeliest tokens.
  private static let leastInRange = 1e-4

  /// Whether it looks at the tokens that may be drawn, rather than at all, where others were ruled out before: as in
  /// llama.cpp, where the dynamic temperature is the last of the samplers.
  public var looksAtCandidates: Bool { if case .dynamicRange = self { true } else { false } }

  /// The temperatures [N] of logits [N, V], in the type of the logits; nothing is recorded for differentiation.
  ///
  /// - Parameter hidden: what the logits were made of, [N, d], for a TempNet that reads that.
  public func callAsFunction(_ logits: Tensor, hidden: Tensor? = nil) -> Tensor {
    withoutGradients {
      switch self {
      case .fixed(let tau): .full([logits.size(0)], tau, dtype: logits.dtype, device: logits.device)
      case .tempnet(let network): network(logits, hidden: hidden).to(logits.dtype)
      case .exact(let entropy, let bounds):
        ExactTemperature.solve(logits: logits, entropy: entropy, bounds: bounds).to(logits.dtype)
      case .entropyDynamic, .dynamicRange, .entropyLevels:
        temperatures(entropy: TemperedStatistics(logits: logits).entropy, alternatives: logits.size(-1))!
          .to(logits.dtype)
      case .divergenceBall(let radius):
        DivergenceBall.temperatures(
          logits: logits, radius: radius, limit: PolicySpecification.temperatures.upperBound
        ).to(logits.dtype)
      }
    }
  }

  /// The temperatures, float64 [N], of formulas in the entropy at temperature 1; nil for other policies.
  ///
  /// - Parameters:
  ///   - entropy: in nats, float64 [N].
  ///   - alternatives: the number of logits.
  func temperatures(entropy: Tensor, alternatives: Int) -> Tensor? {
    switch self {
    case .entropyDynamic(let base, let theta):
      // 0.8^(θ/H), where H may be 0.
      return ((entropy.clamped(1e-9, nil).reciprocal() * (theta * log(0.8))).exp() * base)
        .clamped(Self.leastDynamic, nil)
    case .dynamicRange(let range, let exponent):
      // A distribution over one token has entropy 0 of ln 1 = 0.
      let share = (entropy / max(log(Double(alternatives)), 1e-9)).clamped(1e-12, 1)
      return ((share.log() * exponent).exp() * (range.upperBound - range.lowerBound) + range.lowerBound)
        .clamped(Self.leastInRange, nil)
    case .entropyLevels(let low, let high, let threshold):
      return entropy.greater(threshold).to(.float64) * (high - low) + low
    case .fixed, .tempnet, .exact, .divergenceBall: return nil
    }
  }
}
