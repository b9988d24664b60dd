import Diagnostics
import Files
import Glibc
import JSON
import Synchronization

/// The folder of one run of a pipeline: its record, and each stage's log and frozen configuration.
///
/// `run.json` is written when the run begins and when it ends. In between each change of a stage is appended to
/// `events.jsonl` as a line. So a run of many stages writes no more than its changes, and the state of a killed run is
/// known. Times and durations are in these two files alone, because artifacts must not depend on them. `lock` is held
/// while the run goes on.
final class RunFolder: Sendable {
  let path: String
  private let state: Mutex<State>
  private let lock: FileLock

  fileprivate struct State {
    var record: RunRecord
    /// Opened with the first change, and again after a change that could not be written.
    var events: FileWriter?
    /// The length of the changes that were written whole, in bytes.
    var eventsLength = 0
  }

  private static let lockName = "lock"

  /// Makes the folder, named after the time.
  ///
  /// - Parameter label: the pipeline's label in this store.
  init(in store: Store, label: String, for plan: Plan, at now: Double) throws {
    let runs = store.runs(of: label)
    try Files.makeFolder(runs)
    path = try Self.makeFolder(in: runs, named: calendarTime(now, compact: true))
    lock = try FileLock("\(path)/\(Self.lockName)")
    let record = RunRecord(of: plan, in: path, origin: RecordOrigin(plan.identity, in: store), at: now)
    try Self.write(record)
    state = Mutex(State(record: record))
  }

  func log(of stage: PlannedStage) -> String { "\(path)/\(stage.name).log" }

  /// The file in which the stage's program states how it ended: see `StageEnding`.
  func ending(of stage: PlannedStage) -> String { "\(path)/\(stage.name).end.json" }

  /// Writes the configuration that the stage's program is given.
  func freeze(_ stage: PlannedStage) throws -> String {
    let file = "\(path)/\(stage.name).yaml"
    try AtomicFile.write(stage.configuration.document, to: file)
    return file
  }

  /// Changes a stage's entry and appends it to the record.
  ///
  /// - Throws: where it cannot be written. The stage's next change is written in its place, with what this one changed.
  func update(_ stage: PlannedStage, _ change: (inout RunRecord.Stage) -> Void) throws {
    try state.withLock { state in
      guard let index = state.record.stages.firstIndex(where: { $0.name == stage.name }) else {
        preconditionFailure("the record has every stage of the plan")
      }
      change(&state.record.stages[index])
      try state.append(state.record.stages[index].event.compact + "\n", to: "\(path)/\(RunRecord.eventsName)")
    }
  }

  func close(at now: Double) throws {
    try state.withLock { state in
      state.record.ended = now
      try Self.write(state.record)
      try state.events?.close()
      try Files.remove("\(path)/\(RunRecord.eventsName)")
    }
  }

  private static func write(_ record: RunRecord) throws {
    try AtomicFile.write(record.json.pretty, to: "\(record.path)/\(RunRecord.fileName)")
  }

  static func goesOn(_ path: String) -> Bool { FileLock.holder("\(path)/\(lockName)") != nil }

  /// The position of a run among those of its pipeline. Folders are named after the time; further folders of the same
  /// second have a number: `20260131T120000Z`, `20260131T120000Z-2`.
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

extension RunFolder.State {
  fileprivate mutating func append(_ line: String, to path: String) throws {
    do {
      let writer =
        try events ?? (eventsLength == 0 ? FileWriter(path) : FileWriter(continuing: path, after: eventsLength))
      events = writer
      try writer.write(line)
      try writer.synchronise()
      eventsLength = writer.position
    } catch {
      // Half of the line may be in the file: the next one is written over it.
      events = nil
      throw error
    }
  }
}
