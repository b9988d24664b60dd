import Diagnostics
import TemperatureSettings

extension TemperaturePolicy {
  /// The policy that words stand for; nil for `exact` alone, whose entropy only the caller knows.
  ///
  /// - Parameters:
  ///   - own: the TempNet that was trained jointly with the model.
  ///   - bounds: of exact temperatures.
  ///   - vocabulary: the number of logits.
  ///   - network: reads the TempNet at a path.
  /// - Throws: `.badConfiguration`, without a place, for a policy that the model cannot have or only an evaluation can
  ///   find; errors of `network`.
  public init?(
    _ specification: PolicySpecification, own: TemperatureNetwork?, bounds: ClosedRange<Double>, vocabulary: Int,
    network: (_ path: String) throws -> TemperatureNetwork
  ) throws {
    switch specification {
    case .fixed(let temperature): self = .fixed(temperature)
    case .exact(let entropy):
      guard let entropy else { return nil }
      _ = try RobustBudget(alternatives: vocabulary, entropy: entropy)
      self = .exact(entropy: entropy, bounds: bounds)
    case .model:
      guard let own else { throw Failure(.badConfiguration, "the model has no TempNet of its own") }
      self = .tempnet(own)
    case .entropyDynamic(let base, let theta): self = .entropyDynamic(base: base, theta: theta)
    case .dynamicRange(let range, let exponent): self = .dynamicRange(range, exponent: exponent)
    case .entropyLevels(let low, let high, let threshold):
      self = .entropyLevels(low: low, high: high, threshold: threshold)
    case .divergenceBall(let radius): self = .divergenceBall(radius: radius)
    case .lineStarts:
      throw Failure(.badConfiguration, "line-starts looks at the tokens before, not at a prediction")
    case .turningPoint, .tuned:
      throw Failure(
        .badConfiguration,
        "is chosen on the validation tokens of an evaluation, whose report states the setting; give that")
    case .artifact(let path): self = .tempnet(try network(path))
    }
  }
}
