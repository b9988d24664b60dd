import Diagnostics
import Files
import Glibc
import JSON

/// What a run's folder says of it afterwards: `run.json`, read back.
public struct RunRecord: Equatable, Sendable {
  public struct Stage: Equatable, Sendable {
    public let name: String
    /// Which stage it is: `fit`.
    public let stage: String
    public let state: String
    public let reason: String?
    public let key: String
    /// The artifact's name in the store's folder of artifacts.
    public let artifact: String
    public let attempts: Int
    /// Seconds since 1970, and how many it took; nil for stages that did not run, or were killed.
    public let started: Double?
    public let seconds: Double?
  }

  /// The folder, named after the time.
  public let path: String
  public let pipeline: String
  /// What the store calls the pipeline: its name, or more where a pipeline of another file has the name.
  public let label: String
  /// The path of the pipeline's file.
  public let source: String?
  public let release: String
  /// Seconds since 1970.
  public let started: Double
  /// Nil where the runner was killed, or still works.
  public let ended: Double?
  public let stages: [Stage]

  static let fileName = "run.json"

  /// - Throws: `.badData` that names the member at fault.
  public init(of folder: String) throws {
    let file = "\(folder)/\(Self.fileName)"
    let json = try JSON(parsing: try Files.read(file), source: file, for: .strict)
    func failure(_ member: String) -> Failure { Failure(.badData, "has no usable member '\(member)'", at: file) }
    guard let pipeline = json["pipeline"]?.stringValue else { throw failure("pipeline") }
    guard let started = json["started"]?.stringValue.flatMap(calendarSeconds) else { throw failure("started") }
    guard let stages = json["stages"]?.objectValue else { throw failure("stages") }
    path = folder
    label = Files.name(of: Files.folder(of: folder))
    source = json["file"]?.stringValue ?? json["source"]?.stringValue
    self.pipeline = pipeline
    release = json["release"]?.stringValue ?? "unknown"
    self.started = started
    ended = json["ended"]?.stringValue.flatMap(calendarSeconds)
    self.stages = try stages.map { name, stage in
      guard let kind = stage["stage"]?.stringValue, let state = stage["state"]?.stringValue,
        let key = stage["key"]?.stringValue, let artifact = stage["artifact"]?.stringValue
      else { throw failure("stages.\(name)") }
      return Stage(
        name: name, stage: kind, state: state, reason: stage["reason"]?.stringValue, key: key,
        artifact: Files.name(of: artifact), attempts: stage["attempts"]?.intValue ?? 0,
        started: stage["started"]?.stringValue.flatMap(calendarSeconds), seconds: stage["seconds"]?.doubleValue)
    }
  }

  fileprivate var order: (time: Substring, number: Int) { RunFolder.order(ofRun: Files.name(of: path)) }

  /// What came of the run as a whole.
  public var state: String {
    guard ended != nil else { return "not ended" }
    for state in ["failed", "interrupted"] where stages.contains(where: { $0.state == state }) { return state }
    // Nothing else leaves a stage waiting.
    return stages.contains { $0.state == "waiting" } ? "interrupted" : "done"
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
          records.append(try RunRecord(of: "\(runs(of: label))/\(run)"))
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
