import Artifacts
import Diagnostics
import TrainingOptions

/// How a run goes, whatever is trained.
public struct TrainingSettings: Equatable, Sendable {
  public var steps: Int
  public var seed: Int
  /// The largest Euclidean norm of a group's gradient; nil leaves gradients as they are. Groups are clipped apart, so
  /// that one network's spikes do not hold back the other.
  public var gradientClip: Double?
  public var beta1: Double
  public var beta2: Double
  public var epsilon: Double
  /// Steps between validations; one follows the last step in any case.
  public var validationInterval: Int
  /// Steps between lines of the metrics, each of which holds the means since the line before.
  public var logInterval: Int
  public var selection: ResultChoice
  /// Steps between checkpoints; one is also saved before each validation. Not part of the result's identity.
  public var checkpointInterval: Int
  /// How many of the newest checkpoints stay, besides the best. Not part of the result's identity.
  public var keptCheckpoints: Int
  /// Steps between looks at whether everything is finite. Not part of the result's identity.
  public var checkInterval: Int

  public init(
    steps: Int, seed: Int, gradientClip: Double? = 1, beta1: Double = 0.9, beta2: Double = 0.95,
    epsilon: Double = 1e-8, validationInterval: Int = 100, logInterval: Int = 10, selection: ResultChoice = .best,
    checkpointInterval: Int = 100, keptCheckpoints: Int = 2, checkInterval: Int = 1
  ) {
    self.steps = steps
    self.seed = seed
    self.gradientClip = gradientClip
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.validationInterval = validationInterval
    self.logInterval = logInterval
    self.selection = selection
    self.checkpointInterval = checkpointInterval
    self.keptCheckpoints = keptCheckpoints
    self.checkInterval = checkInterval
  }
}

/// Where a run writes.
public struct TrainingFiles {
  public static let metricsName = "metrics.jsonl"
  public static let eventsName = EventFile.fileName

  public let metrics: String
  public let events: String
  public let checkpoints: String

  public init(metrics: String, events: String, checkpoints: String) {
    self.metrics = metrics
    self.events = events
    self.checkpoints = checkpoints
  }

  /// The metrics and events become part of the artifact that is being built; checkpoints lie beside it.
  public init(_ builder: ArtifactBuilder) throws {
    try self.init(
      metrics: builder.path(for: Self.metricsName), events: builder.path(for: Self.eventsName),
      checkpoints: builder.checkpointsPath)
  }
}

/// When a run stops before its last step: it then saves a checkpoint and fails with 75.
public struct StopRules {
  /// A reason to stop at once, or nil.
  public var reason: () -> Failure?

  public init(reason: @escaping () -> Failure?) { self.reason = reason }

  /// SIGINT, SIGTERM, the end of the runner, or, if given, the end of a number of seconds from now.
  public static func standard(timeLimit: Double?) -> StopRules {
    let start = ContinuousClock.now
    return StopRules {
      if Interruption.isRequested { return Interruption.failure }
      guard let timeLimit, (ContinuousClock.now - start) / .seconds(1) >= timeLimit else { return nil }
      return Failure(
        .tryAgain, "the time limit of \(clockTime(timeLimit)) is over; the same command continues the work")
    }
  }
}

/// What a run came to.
public struct TrainingResult: Equatable, Sendable {
  public struct Validation: Equatable, Sendable {
    public let step: Int
    public let metrics: Metrics
  }
  public let steps: Int
  /// The validation of the parameters that were selected, which the task now holds.
  public let selected: Validation
  public let best: Validation
  public let last: Validation
}
