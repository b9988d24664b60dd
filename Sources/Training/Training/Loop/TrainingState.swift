import Diagnostics
import JSON

/// The state of a run, without its tensors.
struct TrainingState {
  /// Steps taken.
  var step = 0
  /// The lowest validation so far, not counting one that is due at this step.
  var best: TrainingResult.Validation?
  /// Nil until the first step of a run names the measurements.
  var means: RunningMeans?

  /// The state as a checkpoint holds it, with the lengths of the log at this step.
  func json(_ lengths: TrainingLog.Lengths) -> JSON {
    [
      "step": .integer(step),
      "best": best.map { ["step": .integer($0.step), "metrics": $0.metrics.json] } ?? .null,
      "means": means?.json ?? .null,
      "metrics_bytes": .integer(lengths.metrics),
      "events_bytes": .integer(lengths.events),
    ]
  }

  /// - Parameter path: the file of the bytes, for messages.
  static func read(_ bytes: [UInt8], source path: String) throws -> (state: TrainingState, lengths: TrainingLog.Lengths)
  {
    let json = try JSON(parsing: bytes, source: path, for: .strict)
    guard let step = json["step"]?.intValue, let metrics = json["metrics_bytes"]?.intValue,
      let events = json["events_bytes"]?.intValue, let best = json["best"], let means = json["means"]
    else { throw Failure(.badData, "is not the state of a checkpoint", at: path) }
    var state = TrainingState(step: step)
    if !best.isNull {
      guard let step = best["step"]?.intValue, let metrics = best["metrics"].flatMap(Metrics.init) else {
        throw Failure(.badData, "does not state the best validation", at: path)
      }
      state.best = TrainingResult.Validation(step: step, metrics: metrics)
    }
    if !means.isNull {
      guard let means = RunningMeans(means) else { throw Failure(.badData, "does not state the means", at: path) }
      state.means = means
    }
    return (state, TrainingLog.Lengths(metrics: metrics, events: events))
  }
}
