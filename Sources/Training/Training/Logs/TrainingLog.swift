import Files
import JSON

/// What a run tells about itself: one JSON object per line for programs, and a TensorBoard event file.
///
/// Both hold the same numbers. Their lengths are part of a checkpoint, and a run that goes on from there cuts them back,
/// so that they too equal those of a run that was never interrupted.
final class TrainingLog {
  struct Lengths: Equatable, Sendable {
    let metrics: Int
    let events: Int
  }

  private let lines: FileWriter
  private let events: EventFile

  /// - Parameter lengths: what to keep of the files of an earlier run; nil starts new ones.
  init(_ files: TrainingFiles, continuingAfter lengths: Lengths?) throws {
    if let lengths {
      lines = try FileWriter(continuing: files.metrics, after: lengths.metrics)
    } else {
      lines = try FileWriter(files.metrics)
    }
    events = try EventFile(files.events, continuingAfter: lengths?.events)
  }

  var lengths: Lengths { Lengths(metrics: lines.position, events: events.length) }

  /// Brings everything to the disk: a checkpoint that states the lengths must not be there before the bytes are.
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
