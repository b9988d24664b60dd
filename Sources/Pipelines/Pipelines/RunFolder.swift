import Artifacts
import Diagnostics
import Files
import Glibc
import JSON
import StageDescriptions

/// The folder of one run of a pipeline: what was planned, what came of it, logs and frozen configurations.
///
/// `run.json` is written anew whenever something changes, so it also tells of a run that was killed. It is the only
/// place for times and durations: artifacts must not depend on them. `lock` is held while the run goes on.
struct RunFolder: Sendable {
  /// What came of one stage.
  struct Entry: Sendable {
    var state: String
    var reason: String?
    /// Seconds since 1970.
    var started: Double?
    var ended: Double?
    var attempts = 0

    /// How long it took; nil before its end. Someone may have set the clock back meanwhile.
    var seconds: Double? { started.flatMap { started in ended.map { max(0, $0 - started) } } }
  }

  let path: String
  private let plan: Plan
  private let origin: RecordOrigin
  private let started: Double
  private var ended: Double?
  private var entries: [String: Entry]
  private let lock: FileLock

  private static let recordName = "run.json"
  private static let lockName = "lock"

  /// Makes the folder, named after the time.
  ///
  /// - Parameter label: the pipeline's, in this store.
  init(in store: Store, label: String, for plan: Plan, at now: Double) throws {
    let runs = store.runs(of: label)
    try Files.makeFolder(runs)
    path = try Self.makeFolder(in: runs, named: calendarTime(now, compact: true))
    lock = try FileLock("\(path)/\(Self.lockName)")
    (self.plan, started) = (plan, now)
    origin = RecordOrigin(plan.identity, in: store)
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

  private func save() throws { try AtomicFile.write(json.pretty, to: "\(path)/\(Self.recordName)") }

  private var json: JSON {
    var stages = JSONObject()
    for stage in plan.stages {
      guard let entry = entries[stage.name] else { continue }
      stages[stage.name] = entry.json(of: stage)
    }
    return [
      "pipeline": .string(plan.pipeline), "source": .string(plan.source),
      "file": .string(origin.file.text), "store": .string(origin.store.text), "release": .string(Release.version),
      "process": .integer(Int(getpid())), "started": .string(calendarTime(started)),
      "ended": ended.map { .string(calendarTime($0)) } ?? .null, "stages": .object(stages),
    ]
  }

  static func goesOn(_ path: String) -> Bool { FileLock.holder("\(path)/\(lockName)") != nil }

  /// The record of a run; nil for one that was killed before it could write it.
  static func record(ofRunIn path: String) throws -> JSON? {
    let file = "\(path)/\(recordName)"
    return try Files.status(file) == nil ? nil : JSON(parsing: try Files.read(file), source: file, for: .strict)
  }

  /// Where a run stands among those of its pipeline. Folders are named after the time; those of one second are numbered
  /// from the second on: `20260131T120000Z`, `20260131T120000Z-2`.
  static func order(ofRun name: String) -> (time: Substring, number: Int) {
    let parts = name.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    return (parts[0], parts.count == 1 ? 1 : Int(parts[1]) ?? 0)
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
      "key": .string(stage.key), "artifact": .string(stage.output),
      "inputs": .array(stage.identity.inputs.filter { $0.kind != RawInput.kind }.map { .string($0.key) }),
      "attempts": .integer(attempts),
      "started": started.map { .string(calendarTime($0)) } ?? .null,
      "seconds": seconds.map { .number(($0 * 1000).rounded() / 1000) } ?? .null,
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
