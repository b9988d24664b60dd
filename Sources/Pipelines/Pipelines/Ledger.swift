import Diagnostics
import Files
import JSON
import Synchronization

/// Each stage of a pipeline as it was when it last had a result. The planner compares the present with it.
public struct Ledger: Equatable, Sendable {
  public struct Record: Equatable, Sendable {
    public let key: String
    /// The path of the artifact.
    public let artifact: String
    /// The members of the key.
    public let dependencies: JSON
  }

  private static let version = 1
  /// Paths of damaged ledgers that a warning has named.
  private static let told = Mutex<Set<ExactString>>([])
  public private(set) var records: [String: Record] = [:]
  /// The pipeline that the ledger belongs to; nil in a ledger of an earlier version, which knew names alone.
  private(set) var origin: RecordOrigin?

  public subscript(stage: String) -> Record? { records[stage] }

  public init() {}

  /// - Throws: `Failure(.badData)`.
  public init(reading path: String) throws {
    guard try Files.status(path) != nil else { return }
    let json = try JSON(parsing: try Files.read(path), source: path, for: .strict)
    guard json["version"]?.intValue == Self.version, let stages = json["stages"]?.objectValue else {
      throw Failure(.badData, "is not a ledger that this release can read", at: path)
    }
    origin = RecordOrigin(json)
    for (name, record) in stages {
      guard let key = record["key"]?.stringValue, let artifact = record["artifact"]?.stringValue,
        let dependencies = record["dependencies"]
      else { throw Failure(.badData, "the record of '\(name)' is incomplete", at: path) }
      records[name] = Record(key: key, artifact: artifact, dependencies: dependencies)
    }
  }

  /// For callers that need the ledger only to state reasons: a damaged ledger counts as empty, and the next run writes
  /// it anew.
  public init(readingIfWhole path: String) throws {
    do {
      try self.init(reading: path)
    } catch let failure as Failure where failure.status == .badData {
      // A run reads the ledger many times.
      if Self.told.withLock({ $0.insert(ExactString(path)).inserted }) {
        Log.warning("the last results of the pipeline are unknown: \(failure)")
      }
      self.init()
    }
  }

  /// A ledger in which these stages are as they are now.
  func noting(_ changes: [String: Record], from origin: RecordOrigin) -> Ledger {
    var ledger = self
    ledger.records.merge(changes) { $1 }
    ledger.origin = origin
    return ledger
  }

  func write(to path: String) throws { try AtomicFile.write(json.pretty, to: path) }

  private var json: JSON {
    var stages = JSONObject()
    for (name, record) in records.sorted(by: { $0.key < $1.key }) {
      stages[name] = [
        "key": .string(record.key), "artifact": .string(record.artifact), "dependencies": record.dependencies,
      ]
    }
    var members: JSONObject = ["version": .integer(Self.version), "stages": .object(stages)]
    if let origin { (members["file"], members["store"]) = (.string(origin.file.text), .string(origin.store.text)) }
    return .object(members)
  }
}
