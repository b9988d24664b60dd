import Configuration
import JSON

/// AdamW, its learning rate and the limit to gradients.
public struct OptimiserOptions: Equatable, Sendable {
  public var learningRate: Double
  public var learningRateFloor: Double
  /// The share of the steps in which the rate rises.
  public var warmup: Double
  /// Of matrices only.
  public var weightDecay: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  /// The largest norm of a group's gradient; nil leaves gradients as they are.
  public var gradientClip: Double?

  public init(
    learningRate: Double = 2e-3, learningRateFloor: Double = 2e-4, warmup: Double = 0.05, weightDecay: Double = 0.1,
    beta1: Double = 0.9, beta2: Double = 0.95, epsilon: Double = 1e-8, gradientClip: Double? = 1
  ) {
    self.learningRate = learningRate
    self.learningRateFloor = learningRateFloor
    self.warmup = warmup
    self.weightDecay = weightDecay
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.gradientClip = gradientClip
  }

  /// - Parameter defaults: the values of absent keys.
  public init(_ reader: inout ConfigurationReader, defaults: OptimiserOptions = OptimiserOptions()) throws {
    learningRate = try reader.number(
      "learning_rate", default: defaults.learningRate, in: .nonNegative, help: "highest learning rate")
    learningRateFloor = try reader.number(
      "learning_rate_floor", default: defaults.learningRateFloor, in: .nonNegative, help: "learning rate at the end")
    warmup = try reader.number(
      "warmup", default: defaults.warmup, in: 0...1, help: "share of the steps in which rates rise")
    weightDecay = try reader.number(
      "weight_decay", default: defaults.weightDecay, in: .nonNegative, help: "decay of the network's matrices")
    beta1 = try reader.number(
      "beta1", default: defaults.beta1, in: 0...0.999999, help: "AdamW's decay of first moments")
    beta2 = try reader.number(
      "beta2", default: defaults.beta2, in: 0...0.999999, help: "AdamW's decay of second moments")
    epsilon = try reader.number(
      "epsilon", default: defaults.epsilon, in: .positive, help: "AdamW's guard against division by 0")
    gradientClip = try reader.value(
      "gradient_clip", as: .gradientClip, default: .some(defaults.gradientClip),
      help: "largest norm of a network's gradient; 0 or nothing: any")
  }
}

extension ConfigurationType<Double?> {
  /// A limit, or none: 0 or nothing at all. The canonical form of none is 0.
  fileprivate static var gradientClip: Self {
    Self(
      "a number of at least 0, or nothing", specimen: nil,
      decode: { node -> Double?? in
        if node.isNull { return .some(nil) }
        guard let limit = node.scalar?.number, limit >= 0 else { return nil }
        return .some(limit > 0 ? limit : nil)
      }, encode: { .number($0 ?? 0) })
  }
}

extension OptimiserOptions {
  /// Keys of `optimiser` that `fit` had outside a section in earlier versions. There `null` stood for no limit to
  /// gradients.
  public static let formerSpellings =
    ["learning_rate", "learning_rate_floor", "warmup", "weight_decay"].map { FormerSpelling($0, of: "optimiser.\($0)") }
    + [
      FormerSpelling("gradient_clip", of: "optimiser.gradient_clip", encode: { $0.doubleValue == 0 ? .null : $0 })
    ]
}
