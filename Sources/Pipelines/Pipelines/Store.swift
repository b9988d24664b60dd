import Artifacts
import Diagnostics
import Files

/// The folder in which the runner keeps everything, `store` in the current directory unless `--store` names another:
///
///     artifacts/fit-0123456789abcdef/    an artifact, by its stage and the first 16 digits of its key
///     latest/LABEL/STAGE                 a link to the artifact that the stage last had
///     pipelines/LABEL.json               what each stage last was, to tell what changed (the ledger), and whose it is
///     pipelines/LABEL.earlier-1.json     an earlier version's ledger, which may be of several pipelines
///     pipelines/lock                     held while a ledger is written
///     runs/LABEL/20260131T120000Z/       a run: run.json, events.jsonl; and each stage's log, ending, configuration
///     digests.json                       digests of files that have not changed since they were hashed
///     gc.lock                            held while unneeded artifacts are removed, and while a run says what it needs
///
/// Pipelines are identified by the real path of their file, or by their name if they come through a pipe. A pipeline's
/// label is its name; a second pipeline of the same name has a part of the path's digest added (see `StoreRecords`).
/// Versions before this rule identified pipelines by their names alone. Their stores are read, the needs of their
/// ledgers and latest runs are kept, and they can read this version's stores.
public struct Store: Sendable {
  public static let defaultPath = "store"
  private static let keyDigits = 16

  public let path: String

  public init(_ path: String = defaultPath) { self.path = path }

  /// Refuses a folder that was never used as a store, for commands that only look at one.
  ///
  /// - Throws: `Failure(.missingInput)`.
  public func checkExistence() throws {
    guard try Files.status(allRuns)?.isFolder == true else {
      throw Failure(.missingInput, "there is no store; a run makes one", at: path)
    }
  }

  public var artifacts: String { "\(path)/artifacts" }
  public var digestCache: String { "\(path)/digests.json" }
  public var ledgers: String { "\(path)/pipelines" }
  var allRuns: String { "\(path)/runs" }
  var collectionLock: String { "\(path)/gc.lock" }

  public func artifact(stage: String, key: String) -> String {
    "\(artifacts)/\(stage)-\(key.prefix(Self.keyDigits))"
  }

  /// Whether a folder has the name of an artifact; others are ignored.
  static func isArtifact(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && parts[1].utf8.count == keyDigits
      && parts[1].utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }

  public func ledger(of label: String) -> String { "\(ledgers)/\(label).json" }
  /// The inverse of `ledger(of:)`.
  func label(ofLedger file: String) -> String { String(Files.name(of: file).dropLast(".json".count)) }
  /// No label has a point.
  func earlierLedger(of label: String, number: Int) -> String { "\(ledgers)/\(label).earlier-\(number).json" }
  var ledgerLock: String { "\(ledgers)/lock" }

  func links(label: String) -> String { "\(path)/latest/\(label)" }
  public func link(label: String, stage: String) -> String { "\(links(label: label))/\(stage)" }

  public func runs(of label: String) -> String { "\(allRuns)/\(label)" }
}

/// The state of the place where a stage's artifact belongs.
enum ArtifactState {
  case present(Artifact)
  case absent
  /// Interrupted work, which the next run continues.
  case unfinished
  /// Something else than an artifact of this key, and why.
  case damaged(String)

  /// Checks the manifest and the sizes of files, without reading them.
  init(at path: String, kind: ArtifactKind, key: String) throws {
    guard try Files.status(path) != nil else {
      self = ArtifactBuilder.unfinishedWork(on: path) == nil ? .absent : .unfinished
      return
    }
    do {
      let artifact = try Artifact.open(path, kind: kind, check: .sizes)
      self = artifact.key == key ? .present(artifact) : .damaged("it has another key")
    } catch let failure as Failure where failure.status != .inputOutput {
      self = .damaged(failure.description)
    }
  }
}
