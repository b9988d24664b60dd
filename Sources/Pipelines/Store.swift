import Artifacts
import Diagnostics

/// The folder in which the runner keeps everything, `store` in the current directory unless `--store` names another:
///
///     artifacts/fit-0123456789abcdef/    an artifact, by its stage and the first 16 digits of its key
///     latest/PIPELINE/STAGE              a link to the artifact that the stage last had
///     pipelines/PIPELINE.json            what each stage last was, to tell what changed (the ledger)
///     runs/PIPELINE/20260131T120000Z/    a run: run.json, and each stage's log and frozen configuration
///     digests.json                       digests of files that have not changed since they were hashed
///     gc.lock                            held while unneeded artifacts are removed, and while a run says what it needs
public struct Store: Sendable {
  public static let defaultPath = "store"
  private static let keyDigits = 16

  public let path: String

  public init(_ path: String = defaultPath) { self.path = path }

  /// Refuses what was never used as a store, for commands that have nothing to do there.
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

  /// Whether a folder among the artifacts has the name of one; others are of no concern here.
  static func isArtifact(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && parts[1].utf8.count == keyDigits
      && parts[1].utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
  }

  public func ledger(of pipeline: String) -> String { "\(ledgers)/\(pipeline).json" }

  public func link(pipeline: String, stage: String) -> String { "\(path)/latest/\(pipeline)/\(stage)" }

  public func runs(of pipeline: String) -> String { "\(allRuns)/\(pipeline)" }
}

/// What stands where a stage's artifact belongs.
enum ArtifactState {
  case present(Artifact)
  case absent
  /// Work that was interrupted and will be continued.
  case unfinished
  /// Something that is no artifact of this key, and why.
  case damaged(String)

  /// Looks at the manifest and at the sizes of files, which costs no reading.
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
