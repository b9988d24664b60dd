import Artifacts
import Diagnostics
import Glibc

/// The folder of one run of a pipeline: what was planned, what came of it, logs and frozen configurations.
///
/// `run.json` is written anew whenever something changes, so it also tells of a run that was killed. It is the only
/// place for times and durations: artifacts must not depend on them.
struct RunFolder: Sendable {
  /// What came of one stage.
  struct Entry: Sendable {
    var state: String
    var reason: String?
    /// Seconds since 1970.
    var started: Double?
    var ended: Double?
    var attempts = 0
  }

  let path: String
  private let plan: Plan
  private let started: Double
  private var ended: Double?
  private var entries: [String: Entry]

  /// Makes the folder, named after the time.
  init(in store: Store, for plan: Plan, at now: Double) throws {
    let runs = store.runs(of: plan.pipeline)
    try Files.makeFolder(runs)
    path = try Self.makeFolder(in: runs, named: calendarTime(now, compact: true))
    (self.plan, started) = (plan, now)
    entries = Dictionary(uniqueKeysWithValues: plan.stages.map { ($0.name, Entry(planned: $0.decision)) })
    try save()
  }

  func log(of stage: PlannedStage) -> String { "\(path)/\(stage.name).log" }

  /// Writes the configuration that the stage's program gets.
  func freeze(_ stage: PlannedStage) throws -> String {
    let file = "\(path)/\(stage.name).yaml"
    try AtomicFile.write(stage.configuration.document, to: file)
    return file
  }

  mutating func update(_ stage: PlannedStage, _ change: (inout Entry) -> Void) throws {
    change(&entries[stage.name, default: Entry(planned: stage.decision)])
    try save()
  }

  mutating func close(at now: Double) throws {
    ended = now
    try save()
  }

  private func save() throws { try AtomicFile.write(json.pretty, to: "\(path)/run.json") }

  private var json: JSON {
    var stages = JSONObject()
    for stage in plan.stages {
      guard let entry = entries[stage.name] else { continue }
      stages[stage.name] = entry.json(of: stage)
    }
    return [
      "pipeline": .string(plan.pipeline), "source": .string(plan.source), "release": .string(Release.version),
      "process": .integer(Int(getpid())), "started": .string(calendarTime(started)),
      "ended": ended.map { .string(calendarTime($0)) } ?? .null, "stages": .object(stages),
    ]
  }

  private static func makeFolder(in runs: String, named name: String) throws -> String {
    for attempt in 1... {
      let path = attempt == 1 ? "\(runs)/\(name)" : "\(runs)/\(name)-\(attempt)"
      if mkdir(path, 0o777) == 0 { return path }
      guard errno == EEXIST else { throw Failure.system("cannot make the folder", path) }
    }
    preconditionFailure("the loop has no end")
  }
}

extension RunFolder.Entry {
  fileprivate init(planned decision: Decision) {
    switch decision {
    case .upToDate: self.init(state: "up to date")
    case .leftOut: self.init(state: "left out")
    case .run(let reason): self.init(state: "waiting", reason: reason)
    }
  }

  fileprivate func json(of stage: PlannedStage) -> JSON {
    [
      "stage": .string(stage.identity.stage), "state": .string(state), "reason": reason.map { .string($0) } ?? .null,
      "key": .string(stage.key), "artifact": .string(stage.output), "attempts": .integer(attempts),
      "started": started.map { .string(calendarTime($0)) } ?? .null,
      "seconds": started.flatMap { started in ended.map { .number((($0 - started) * 1000).rounded() / 1000) } }
        ?? .null,
    ]
  }
}

/// A time in UTC as `2026-01-31T12:00:00Z`, or compact as `20260131T120000Z`.
func calendarTime(_ seconds: Double, compact: Bool = false) -> String {
  var (whole, parts) = (time_t(seconds), tm())
  gmtime_r(&whole, &parts)
  var buffer = [CChar](repeating: 0, count: 32)
  let length = strftime(&buffer, buffer.count, compact ? "%Y%m%dT%H%M%SZ" : "%Y-%m-%dT%H:%M:%SZ", &parts)
  return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
