import Diagnostics
import Files
import JSON

/// Makes one artifact: locks its place, gives the stage a folder to work in, and publishes the result in one step.
///
/// A builder that is released unpublished removes work that has no checkpoint yet. Whenever the process is killed, the
/// next run of the same command finds a finished artifact or a work folder to continue in:
///
/// 1. `OUTPUT.lock` is taken; it ends with the process.
/// 2. `OUTPUT.partial` is made, its identity noted, and the stage works there.
/// 3. `publish` writes the manifest into `OUTPUT.partial/content` last, with every file on the disk.
/// 4. `content` is renamed to `OUTPUT`: from here on the artifact exists.
/// 5. `OUTPUT.partial` is removed; a run stopped before that leaves it to the next.
public final class ArtifactBuilder {
  /// The artifact's folder once it is published.
  public let output: String
  public let identity: StageIdentity
  /// The artifact that an earlier run finished; nil if the work is still to be done.
  public let alreadyDone: Artifact?
  private let lock: FileLock
  private let work: WorkFolder?
  private var declared: Set<String> = []

  /// - Throws: `Failure`: `.tryAgain` while another process makes the same output; `.outputExists` if something else
  ///   stands at the output, or its work folder holds unfinished work of another configuration or resolution.
  public init(output: String, identity: StageIdentity) throws {
    precondition(!output.isEmpty, "an output needs a path")
    self.output = output.utf8.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
    self.identity = identity
    try Files.makeFolder(Files.folder(of: self.output))
    do {
      lock = try FileLock(Self.lock(for: self.output))
    } catch let failure as Failure where failure.status == .tryAgain {
      throw Failure(.tryAgain, "is being made by another run (\(failure.message))", at: self.output, isBusy: true)
    }
    alreadyDone = try Self.finished(self.output, identity)
    if alreadyDone == nil {
      work = try WorkFolder(for: self.output, identity)
    } else {
      work = nil
      try Files.remove(WorkFolder.path(for: self.output))
    }
  }

  deinit { work?.removeUnlessContinuable() }

  /// The lock that is held while an artifact is made.
  public static func lock(for output: String) -> String { "\(output).lock" }

  /// The folder of an earlier run's unfinished work on an artifact; nil where there is none.
  public static func unfinishedWork(on output: String) -> String? {
    let path = WorkFolder.path(for: output)
    return Files.exists(path) ? path : nil
  }

  /// Whether the work folder was begun by an earlier run; the stage continues from its newest checkpoint.
  public var isResumed: Bool { work?.isResumed ?? false }

  /// The path at which to write one of the artifact's files. Only files that were asked for here are published.
  ///
  /// - Parameter name: relative to the artifact's folder; folders in it are made.
  public func path(for name: String) throws -> String {
    precondition(Files.isPlainRelative(name) && name != Manifest.fileName, "'\(name)' cannot be a file of an artifact")
    let path = "\(activeWork.content)/\(name)"
    try Files.makeFolder(Files.folder(of: path))
    declared.insert(name)
    return path
  }

  /// The folder of the stage's checkpoints, which is removed when the artifact is published.
  public var checkpointsPath: String { activeWork.checkpoints }

  /// Publishes the files that `path(for:)` was asked for and ends the work.
  ///
  /// Files that only an earlier, interrupted run left are removed, so the result does not depend on interruptions.
  public func publish(summary: JSON) throws -> Artifact {
    let content = activeWork.content
    try removeUndeclared(content)
    let files = try declared.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { name in
      try Self.entry(name, content)
    }
    let manifest = Manifest(identity, files: files, summary: summary)
    try Files.synchroniseTree(content)
    try AtomicFile.write(manifest.text, to: "\(content)/\(Manifest.fileName)")
    try Files.rename(content, to: output)
    try Files.synchronise(Files.folder(of: output))
    try Files.remove(activeWork.path)
    return Artifact(path: output, manifest: manifest)
  }

  private var activeWork: WorkFolder {
    guard let work else { preconditionFailure("\(output) is already done") }
    return work
  }

  private func removeUndeclared(_ content: String) throws {
    for name in try Files.tree(content) where !declared.contains(name) { try Files.remove("\(content)/\(name)") }
  }

  private static func entry(_ name: String, _ content: String) throws -> Manifest.FileEntry {
    let path = "\(content)/\(name)"
    guard let status = try Files.status(path), status.isRegular else {
      preconditionFailure("\(name) was announced but not written")
    }
    return Manifest.FileEntry(path: name, size: status.size, sha256: try SHA256.hex(ofFile: path))
  }

  /// The artifact at `output`; nil where there is nothing.
  ///
  /// - Throws: `Failure(.outputExists)` for anything but an artifact of the same identity.
  private static func finished(_ output: String, _ identity: StageIdentity) throws -> Artifact? {
    guard let status = try Files.status(output) else {
      guard let target = Files.target(ofLink: output) else { return nil }
      throw Failure(.outputExists, "is a link to \(target), which does not exist", at: output)
    }
    if status.isFolder, try Files.list(output).isEmpty { return nil }
    let artifact: Artifact
    do {
      artifact = try Artifact.open(output, kind: identity.kind)
    } catch let failure as Failure where failure.status != .inputOutput {
      throw Failure(.outputExists, "exists but is not a result of this command (\(failure))", at: output)
    }
    if artifact.key == identity.key { return artifact }
    let difference = identity.dependencies.differences(from: artifact.manifest.dependencies).first
    throw Failure(
      .outputExists, "is the result of another configuration\(difference.map { ": \($0)" } ?? "")", at: output)
  }
}
