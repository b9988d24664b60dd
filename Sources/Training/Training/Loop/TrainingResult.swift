import Artifacts
import Diagnostics

/// The files of a run.
public struct TrainingFiles: Sendable {
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

  /// Metrics and events become files of the artifact; checkpoints lie in the work folder.
  public init(_ builder: ArtifactBuilder) throws {
    try self.init(
      metrics: builder.path(for: Self.metricsName), events: builder.path(for: Self.eventsName),
      checkpoints: builder.checkpointsPath)
  }
}

/// The condition under which a run stops before its last step. It then saves a checkpoint and ends with the reason, a
/// failure of status 75.
public struct StopRules {
  /// The reason to stop now; nil to go on.
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

/// The outcome of a run.
public struct TrainingResult: Equatable, Sendable {
  public struct Validation: Equatable, Sendable {
    public let step: Int
    public let metrics: Metrics
  }
  public let steps: Int
  /// The validation of the selected parameters, which the task now holds.
  public let selected: Validation
  public let best: Validation
  public let last: Validation
}
