import Diagnostics
import Files
import JSON

/// `OUTPUT.partial`: the folder in which a stage works before its artifact is published.
///
///     identity.json   what is being made; written before anything else, so a folder without it can be removed
///     content/        becomes the artifact
///     checkpoints/    what interrupted work continues from
struct WorkFolder {
  let path: String
  /// Whether an earlier run began the work and was interrupted.
  let isResumed: Bool

  var content: String { "\(path)/\(Self.contentName)" }
  var checkpoints: String { "\(path)/\(Self.checkpointsName)" }
  private static let contentName = "content"
  private static let checkpointsName = "checkpoints"
  private static let identityName = "identity.json"

  static func path(for output: String) -> String { "\(output).partial" }

  /// Makes the folder, or takes over the folder of an interrupted run of the same identity.
  ///
  /// - Throws: `Failure(.outputExists)` if the existing folder has checkpoints of another configuration or resolution.
  init(for output: String, _ identity: StageIdentity) throws {
    path = Self.path(for: output)
    let note = "\(path)/\(Self.identityName)"
    isResumed = try Self.canContinue(identity, note, path)
    if !isResumed { try Self.clear(path) }
    try Files.makeFolder(content)
    try Files.makeFolder(checkpoints)
    if !isResumed {
      try AtomicFile.write(identity.note.pretty, to: note)
      try Files.synchronise(Files.folder(of: path))
    }
  }

  /// Removes the folder of a run that stopped before it noted its identity; refuses to remove anything else.
  private static func clear(_ path: String) throws {
    guard try Files.status(path) != nil else { return }
    for name in try Files.list(path) {
      let isOurs = [contentName, checkpointsName].contains(name) || name.hasPrefix(identityName)
      guard isOurs else {
        throw Failure(
          .outputExists, "holds '\(name)', which tempnet did not make; remove or rename the folder", at: path)
      }
    }
    try Files.remove(path)
  }

  /// Removes the folder if it has no checkpoint, as after a failure on bad input. The next run clears a folder that
  /// cannot be removed now.
  func removeUnlessContinuable() {
    if (try? Self.hasCheckpoints(path)) == false { try? Files.remove(path) }
  }

  private static func hasCheckpoints(_ path: String) throws -> Bool {
    let checkpoints = "\(path)/\(checkpointsName)"
    return try Files.status(checkpoints) != nil && !Files.list(checkpoints).isEmpty
  }

  /// Whether there is work of this identity. Work of another identity without a checkpoint counts as none.
  ///
  /// - Throws: `Failure(.outputExists)` for checkpoints of another identity.
  private static func canContinue(_ identity: StageIdentity, _ note: String, _ path: String) throws -> Bool {
    guard try Files.status(note) != nil else { return false }
    let old: JSON
    do {
      old = try JSON(parsing: try Files.read(note), source: note, for: .strict)
    } catch let failure as Failure where failure.status == .badData {
      throw failure.ofUnfinishedWork(in: path)
    }
    guard let difference = identity.note.differences(from: old).first else { return true }
    guard try hasCheckpoints(path) else { return false }
    let kind = difference.path.hasPrefix("resolution") ? "resolution" : "configuration"
    throw Failure(
      .outputExists,
      "holds unfinished work of another \(kind): \(difference); "
        + "repeat the command that began it, or remove the folder", at: path)
  }
}

extension Failure {
  /// The failure about a file of interrupted work, with the remedy.
  ///
  /// - Parameter folder: the work folder.
  public func ofUnfinishedWork(in folder: String) -> Failure {
    Failure(
      .badData, "\(message): the unfinished work cannot continue; remove \(folder) to begin it anew", at: place)
  }
}

extension StageIdentity {
  /// The values that have to be equal for work to continue.
  fileprivate var note: JSON {
    var note = dependencies
    note["resolution"] = resolution
    return note
  }
}
