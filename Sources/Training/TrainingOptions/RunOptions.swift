import Configuration

/// How often a training run is saved, and when it stops early. These settings do not enter the key.
public struct RunOptions: Equatable, Sendable {
  /// Steps from one checkpoint to the next; one is also saved before each validation.
  public var checkpointInterval: Int
  /// How many of the newest checkpoints stay, besides the best.
  public var keptCheckpoints: Int
  /// In seconds; nil for none.
  public var timeLimit: Double?

  public init(checkpointInterval: Int = 100, keptCheckpoints: Int = 2, timeLimit: Double? = nil) {
    self.checkpointInterval = checkpointInterval
    self.keptCheckpoints = keptCheckpoints
    self.timeLimit = timeLimit
  }
}

extension ConfigurationReader {
  /// - Parameter checkpointInterval: the default, which depends on the usual duration of a step.
  public mutating func runOptions(checkpointInterval: Int = 100) throws -> RunOptions {
    RunOptions(
      checkpointInterval: try integer(
        "checkpoint_interval", default: checkpointInterval, in: 1...1 << 40, identity: false,
        help: "steps between checkpoints"),
      keptCheckpoints: try integer(
        "checkpoints", default: 2, in: 1...1000, identity: false, help: "newest checkpoints to keep besides the best"),
      timeLimit: try optionalNumber(
        "time_limit", in: .positive, identity: false, help: "seconds after which to save and stop with code 75"))
  }
}
