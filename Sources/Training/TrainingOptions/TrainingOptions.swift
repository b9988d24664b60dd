import Configuration

/// Which parameters a stage that trains publishes.
public enum ResultChoice: String, CaseIterable, Sendable {
  /// Those of the validated step with the lowest loss.
  case best
  case last
}

/// AdamW and the main learning rate.
public struct OptimiserOptions: Equatable, Sendable {
  public var learningRate: Double
  public var learningRateFloor: Double
  /// The share of the steps.
  public var warmup: Double
  public var weightDecay: Double
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  /// 0: gradients are left as they are.
  public var gradientClip: Double

  public init(_ reader: inout ConfigurationReader) throws {
    learningRate = try reader.number("learning_rate", default: 2e-3, in: .nonNegative, help: "the model's highest rate")
    learningRateFloor = try reader.number(
      "learning_rate_floor", default: 2e-4, in: .nonNegative, help: "what the cosine ends at")
    warmup = try reader.number("warmup", default: 0.05, in: 0...1, help: "share of the steps in which rates rise")
    weightDecay = try reader.number("weight_decay", default: 0.1, in: .nonNegative, help: "of the model's matrices")
    beta1 = try reader.number("beta1", default: 0.9, in: 0...0.999999, help: "AdamW's decay of first moments")
    beta2 = try reader.number("beta2", default: 0.95, in: 0...0.999999, help: "AdamW's decay of second moments")
    epsilon = try reader.number("epsilon", default: 1e-8, in: .positive, help: "AdamW's guard against division by 0")
    gradientClip = try reader.number(
      "gradient_clip", default: 1, in: .nonNegative, help: "largest norm of a network's gradient; 0: any")
  }
}

/// How a training run is kept safe; no part of its result's identity.
public struct RunOptions: Equatable, Sendable {
  public var checkpointInterval: Int
  /// The newest ones, besides the best.
  public var keptCheckpoints: Int
  /// In seconds.
  public var timeLimit: Double?
}

extension ConfigurationReader {
  public mutating func runOptions() throws -> RunOptions {
    RunOptions(
      checkpointInterval: try integer(
        "checkpoint_interval", default: 100, in: 1...1 << 40, identity: false, help: "steps between checkpoints"),
      keptCheckpoints: try integer(
        "checkpoints", default: 2, in: 1...1000, identity: false, help: "newest checkpoints to keep besides the best"),
      timeLimit: try optionalNumber(
        "time_limit", in: .positive, identity: false, help: "seconds after which to save and stop with code 75"))
  }
}
