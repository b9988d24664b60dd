import Artifacts
import Diagnostics
import Files
import Glibc
import JSON
import StageDescriptions

/// The record of one run of a pipeline: the plan, and how each stage ended. `RunFolder` writes it.
public struct RunRecord: Equatable, Sendable {
  /// The state of a stage. The raw values are written to the file and shown to people.
  public enum State: String, Equatable, Sendable {
    case upToDate = "up to date"
    /// The stage was not asked for.
    case leftOut = "left out"
    case waiting, running, made
    /// Another runner made the same artifact meanwhile.
    case adopted = "made by another run"
    case interrupted, failed
  }

  /// How the run as a whole ended.
  public enum Outcome: String, Equatable, Sendable {
    case done, failed, interrupted
    /// The runner was killed, or still works.
    case notEnded = "not ended"
  }

  public struct Stage: Equatable, Sendable {
    public let name: String
    /// The kind of stage: `fit`.
    public let stage: String
    public internal(set) var state: State
    public let reason: String?
    public let key: String
    /// The path of the artifact.
    public let output: String
    /// Keys of the artifacts that the stage reads.
    public let inputs: [String]
    public internal(set) var attempts = 0
    /// The executor's name for the latest attempt; nil for stages that did not run, and in records of earlier versions.
    public internal(set) var job: JobName?
    /// Seconds since 1970, whole ones if the record was read from a file; nil for stages that did not run.
    public internal(set) var started: Double?
    /// Duration in seconds; nil before the stage has ended.
    public internal(set) var seconds: Double?

    /// The artifact's name in the store's folder of artifacts.
    public var artifact: String { Files.name(of: output) }
  }

  /// The folder, named after the time.
  public let path: String
  public let pipeline: String
  /// The path of the pipeline's file, as it was given.
  public let source: String?
  /// Real paths of the pipeline's file and of the store; nil in a record of an earlier version.
  let origin: RecordOrigin?
  public let release: String
  /// The runner's process id.
  public let process: Int?
  /// Seconds since 1970.
  public let started: Double
  /// Seconds since 1970; nil where the runner was killed, or still works.
  public internal(set) var ended: Double?
  public internal(set) var stages: [Stage]

  static let fileName = "run.json"
  /// The file of the changes since `run.json` was written.
  static let eventsName = "events.jsonl"

  /// The pipeline's name in this store; longer where a pipeline of another file has the same name.
  public var label: String { Files.name(of: Files.folder(of: path)) }

  /// The path of the pipeline's file: the real one where it is known.
  public var file: String? { origin?.file.text ?? source }

  var order: (time: Substring, number: Int) { RunFolder.order(ofRun: Files.name(of: path)) }

  public var outcome: Outcome {
    guard ended != nil else { return .notEnded }
    if stages.contains(where: { $0.state == .failed }) { return .failed }
    // A stage is left waiting only where the run was interrupted.
    return stages.contains { $0.state == .interrupted || $0.state == .waiting } ? .interrupted : .done
  }
}

extension RunRecord {
  /// The record of a run that begins.
  init(of plan: Plan, in folder: String, origin: RecordOrigin, at now: Double) {
    self.init(
      path: folder, pipeline: plan.pipeline, source: plan.source, origin: origin, release: Release.version,
      process: Int(getpid()), started: now, ended: nil, stages: plan.stages.map(Stage.init(planned:)))
  }

  /// Reads the record of a run back; nil for a run that was killed before it could write one.
  ///
  /// - Throws: `.badData` that names the member at fault.
  public init?(of folder: String) throws {
    let file = "\(folder)/\(Self.fileName)"
    guard try Files.status(file) != nil else { return nil }
    let json = try JSON(parsing: try Files.read(file), source: file, for: .strict)
    func failure(_ member: String) -> Failure { Failure(.badData, "has no usable member '\(member)'", at: file) }
    guard let pipeline = json["pipeline"]?.stringValue else { throw failure("pipeline") }
    guard let started = json["started"]?.stringValue.flatMap(calendarSeconds) else { throw failure("started") }
    guard let stages = json["stages"]?.objectValue else { throw failure("stages") }
    self.init(
      path: folder, pipeline: pipeline, source: json["source"]?.stringValue, origin: RecordOrigin(json),
      release: json["release"]?.stringValue ?? "unknown", process: json["process"]?.intValue, started: started,
      ended: json["ended"]?.stringValue.flatMap(calendarSeconds),
      stages: try stages.map { name, stage in
        guard let stage = Stage(name, stage) else { throw failure("stages.\(name)") }
        return stage
      })
    try apply(eventsOf: folder)
  }

  /// The unfinished line of a killed runner is left out.
  private mutating func apply(eventsOf folder: String) throws {
    let file = "\(folder)/\(Self.eventsName)"
    guard try Files.status(file) != nil else { return }
    let lines = try Files.read(file).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    for (number, line) in lines.enumerated() {
      let place = "\(file), line \(number + 1)"
      let json: JSON
      do {
        json = try JSON(parsing: Array(line), source: file, for: .strict)
      } catch let failure as Failure {
        throw Failure(failure.status, failure.message, at: place)
      }
      guard let name = json["name"]?.stringValue, let stage = Stage(name, json),
        let index = stages.firstIndex(where: { $0.name == name })
      else { throw Failure(.badData, "is not the change of a stage of this run", at: place) }
      stages[index] = stage
    }
  }

  var json: JSON {
    var members = JSONObject()
    for stage in stages { members[stage.name] = stage.json }
    return [
      "pipeline": .string(pipeline), "source": source.map { .string($0) } ?? .null,
      "file": origin.map { .string($0.file.text) } ?? .null, "store": origin.map { .string($0.store.text) } ?? .null,
      "release": .string(release), "process": process.map { .integer($0) } ?? .null,
      "started": .string(calendarTime(started)), "ended": ended.map { .string(calendarTime($0)) } ?? .null,
      "stages": .object(members),
    ]
  }
}

extension RunRecord.Stage {
  fileprivate init(planned stage: PlannedStage) {
    let (state, reason): (RunRecord.State, String?) =
      switch stage.decision {
      case .upToDate: (.upToDate, nil)
      case .leftOut: (.leftOut, nil)
      case .run(let reason): (.waiting, reason)
      }
    self.init(
      name: stage.name, stage: stage.identity.stage, state: state, reason: reason, key: stage.key,
      output: stage.output,
      inputs: stage.identity.inputs.filter { $0.kind != RawInput.kind }.map(\.key))
  }

  /// Nil where a member is missing, or the state is unknown.
  fileprivate init?(_ name: String, _ json: JSON) {
    guard let stage = json["stage"]?.stringValue,
      let state = json["state"]?.stringValue.flatMap(RunRecord.State.init(rawValue:)),
      let key = json["key"]?.stringValue, let output = json["artifact"]?.stringValue
    else { return nil }
    self.init(
      name: name, stage: stage, state: state, reason: json["reason"]?.stringValue, key: key, output: output,
      inputs: (json["inputs"]?.arrayValue ?? []).compactMap(\.stringValue),
      attempts: json["attempts"]?.intValue ?? 0, job: json["job"]?.stringValue.map(JobName.init),
      started: json["started"]?.stringValue.flatMap(calendarSeconds),
      seconds: json["seconds"]?.doubleValue)
  }

  fileprivate var json: JSON {
    [
      "stage": .string(stage), "state": .string(state.rawValue), "reason": reason.map { .string($0) } ?? .null,
      "key": .string(key), "artifact": .string(output), "inputs": .array(inputs.map { .string($0) }),
      "attempts": .integer(attempts), "job": job.map { .string($0.description) } ?? .null,
      "started": started.map { .string(calendarTime($0)) } ?? .null,
      "seconds": seconds.map { .number($0) } ?? .null,
    ]
  }

  /// A line of `events.jsonl`.
  var event: JSON {
    guard case .object(var members) = json else { preconditionFailure("a stage is an object") }
    members["name"] = .string(name)
    return .object(members)
  }

  mutating func begin(at now: Double) { (state, started) = (.running, now) }

  /// Notes how the stage ended. The duration is never negative, even if the clock was set back.
  mutating func end(_ state: RunRecord.State, attempts: Int, at now: Double) {
    (self.state, self.attempts) = (state, attempts)
    seconds = started.map { (max(0, now - $0) * 1000).rounded() / 1000 }
  }
}

extension Store {
  /// Every run, the latest first. Records that cannot be read are left out, with a warning.
  public func runs() throws -> [RunRecord] {
    guard try Files.status(allRuns) != nil else { return [] }
    var records: [RunRecord] = []
    for label in try Files.list(allRuns) {
      for run in try runNames(of: label) {
        do {
          if let record = try RunRecord(of: "\(runs(of: label))/\(run)") { records.append(record) }
        } catch let failure as Failure {
          Log.warning("\(failure); this run is left out")
        }
      }
    }
    return records.sorted {
      ($0.started, $0.order.number, $0.path) > ($1.started, $1.order.number, $1.path)
    }
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

/// The inverse of `calendarTime`.
func calendarSeconds(_ text: String) -> Double? {
  guard let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z/)?.output,
    let year = Int32(match.1), let month = Int32(match.2), let day = Int32(match.3), let hour = Int32(match.4),
    let minute = Int32(match.5), let second = Int32(match.6)
  else { return nil }
  var parts = tm()
  (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
  (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
  return Double(timegm(&parts))
}
