import Glibc
import Torch

/// A rule that gives each prediction its softmax temperature.
public enum TemperaturePolicy: Sendable {
  /// The same temperature for every prediction.
  case fixed(Double)
  /// What a TempNet predicts from the logits.
  case tempnet(TemperatureNetwork)
  /// The optimum of the robust loss for each prediction, whose tempered distribution has this entropy in nats.
  case exact(entropy: Double, bounds: ClosedRange<Double>)
  /// `base · 0.8^(theta / H)` with H the entropy at temperature 1 (EDT; Zhang et al. 2024, arXiv 2403.14541): the surer
  /// the model, the lower.
  case entropyDynamic(base: Double, theta: Double)
  /// From the lower to the upper end of a range as the entropy at temperature 1 goes from 0 to that of a uniform
  /// distribution: `low + (high - low) · (H / ln V)^exponent`, llama.cpp's dynamic temperature.
  case dynamicRange(ClosedRange<Double>, exponent: Double)

  /// What EDT's temperatures cannot fall below; its formula gives 0 where the model is sure.
  private static let leastDynamic = 1e-3

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
      case .entropyDynamic(let base, let theta):
        // 0.8^(θ/H), where H may be 0.
        ((TemperedStatistics(logits: logits).entropy.clamped(1e-9, nil).reciprocal() * (theta * log(0.8))).exp() * base)
          .clamped(Self.leastDynamic, nil).to(logits.dtype)
      case .dynamicRange(let range, let exponent):
        // A distribution over one token has entropy 0 of ln 1 = 0.
        (((TemperedStatistics(logits: logits).entropy / max(log(Double(logits.size(-1))), 1e-9)).clamped(1e-12, 1).log()
          * exponent).exp()
          * (range.upperBound - range.lowerBound) + range.lowerBound).to(logits.dtype)
      }
    }
  }
}
