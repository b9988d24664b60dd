import Files
import JSON

/// The log of a run: one JSON object per line, and a TensorBoard event file with the same numbers.
///
/// A checkpoint states the lengths of both files. A resumed run cuts the files back, so that they equal those of an
/// uninterrupted run.
final class TrainingLog {
  struct Lengths: Equatable, Sendable {
    let metrics: Int
    let events: Int
  }

  private let lines: FileWriter
  private let events: EventFile

  /// - Parameter lengths: the lengths of an earlier run's files to keep; nil starts new files.
  init(_ files: TrainingFiles, continuingAfter lengths: Lengths?) throws {
    if let lengths {
      lines = try FileWriter(continuing: files.metrics, after: lengths.metrics)
    } else {
      lines = try FileWriter(files.metrics)
    }
    events = try EventFile(files.events, continuingAfter: lengths?.events)
  }

  var lengths: Lengths { Lengths(metrics: lines.position, events: events.length) }

  /// Brings everything to the disk. The bytes must be there before a checkpoint states their number.
  func synchronise() throws {
    try lines.synchronise()
    try events.synchronise()
  }

  func close() throws {
    try lines.close()
    try events.close()
  }

  /// Writes one line `{"step": ..., "SECTION": {"NAME": ...}, ...}` and the scalars `SECTION/NAME`.
  func write(step: Int, _ sections: [(name: String, metrics: Metrics)]) throws {
    var line = JSONObject([("step", .integer(step))])
    for (name, metrics) in sections { line[name] = metrics.json }
    try lines.write(JSON.object(line).compact + "\n")
    let scalars = sections.flatMap { section, metrics in
      metrics.entries.map { (tag: "\(section)/\($0.name)", value: $0.value) }
    }
    try events.write(step: step, scalars)
    // People watch these files while a run goes on.
    try lines.flush()
    try events.flush()
  }
}
