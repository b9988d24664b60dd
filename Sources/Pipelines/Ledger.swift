import Artifacts
import Diagnostics

/// What each stage of a pipeline was when it last had a result; the planner tells from it what has changed.
public struct Ledger: Equatable, Sendable {
  public struct Record: Equatable, Sendable {
    public let key: String
    /// The path of the artifact.
    public let artifact: String
    /// What the key was made of.
    public let dependencies: JSON
  }

  private static let version = 1
  public private(set) var records: [String: Record] = [:]

  public subscript(stage: String) -> Record? { records[stage] }

  public init() {}

  /// - Throws: `Failure(.badData)`.
  public init(reading path: String) throws {
    guard try Files.status(path) != nil else { return }
    let json = try JSON(parsing: try Files.read(path), source: path, for: .strict)
    guard json["version"]?.intValue == Self.version, let stages = json["stages"]?.objectValue else {
      throw Failure(.badData, "is no ledger of this release", at: path)
    }
    for (name, record) in stages {
      guard let key = record["key"]?.stringValue, let artifact = record["artifact"]?.stringValue,
        let dependencies = record["dependencies"]
      else { throw Failure(.badData, "the record of '\(name)' is incomplete", at: path) }
      records[name] = Record(key: key, artifact: artifact, dependencies: dependencies)
    }
  }

  /// Where only reasons depend on the ledger, a damaged one counts as none, and the next run writes it anew.
  public init(readingIfWhole path: String) throws {
    do {
      try self.init(reading: path)
    } catch let failure as Failure where failure.status == .badData {
      Log.warning("what the last run was is not known: \(failure)")
      self.init()
    }
  }

  /// Notes what stages are now, beside whatever other runners have noted since.
  public static func update(_ path: String, with changes: [String: Record]) throws {
    guard !changes.isEmpty else { return }
    try Files.makeFolder(Files.folder(of: path))
    let lock = try FileLock.waiting(for: "\(path).lock")
    var ledger = try Ledger(readingIfWhole: path)
    ledger.records.merge(changes) { $1 }
    try AtomicFile.write(ledger.json.pretty, to: path)
    extendLifetime(lock)
  }

  private var json: JSON {
    var stages = JSONObject()
    for (name, record) in records.sorted(by: { $0.key < $1.key }) {
      stages[name] = [
        "key": .string(record.key), "artifact": .string(record.artifact), "dependencies": record.dependencies,
      ]
    }
    return ["version": .integer(Self.version), "stages": .object(stages)]
  }
}

extension Store {
  /// Notes that these stages have their artifacts: in the ledger, and as links for people. Writes only what changed.
  func note(_ stages: [PlannedStage], of pipeline: String) throws {
    let ledger = try Ledger(readingIfWhole: ledger(of: pipeline))
    var changes: [String: Ledger.Record] = [:]
    for stage in stages {
      let record = Ledger.Record(key: stage.key, artifact: stage.output, dependencies: stage.identity.dependencies)
      if ledger[stage.name] != record { changes[stage.name] = record }
      try refreshLink(of: stage, in: pipeline)
    }
    try Ledger.update(self.ledger(of: pipeline), with: changes)
  }

  private func refreshLink(of stage: PlannedStage, in pipeline: String) throws {
    let link = link(pipeline: pipeline, stage: stage.name)
    let target = "../../artifacts/\(Files.name(of: stage.output))"
    if Files.target(ofLink: link) == target { return }
    try Files.makeFolder(Files.folder(of: link))
    try Files.link(link, to: target)
  }
}
