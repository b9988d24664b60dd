import Torch

/// A rule that gives each prediction its softmax temperature.
public enum TemperaturePolicy: Sendable {
  /// The same temperature for every prediction.
  case fixed(Double)
  /// What a TempNet predicts from the logits.
  case tempnet(TemperatureNetwork)
  /// The optimum of the robust loss for each prediction, whose tempered distribution has this entropy in nats.
  case exact(entropy: Double, bounds: ClosedRange<Double>)

  /// The temperatures [N] of logits [N, V], in the type of the logits; nothing is recorded for differentiation.
  public func callAsFunction(_ logits: Tensor) -> Tensor {
    withoutGradients {
      switch self {
      case .fixed(let tau): .full([logits.size(0)], tau, dtype: logits.dtype, device: logits.device)
      case .tempnet(let network): network(logits)
      case .exact(let entropy, let bounds):
        ExactTemperature.solve(logits: logits, entropy: entropy, bounds: bounds).to(logits.dtype)
      }
    }
  }
}
