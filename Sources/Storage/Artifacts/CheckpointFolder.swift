import Diagnostics
import Files
import JSON

/// Checkpoints of a stage: the newest few, and the one marked best.
///
///     000000000200/   a complete checkpoint, by its step; digests.json in it has the SHA-256 of its other files
///     best            the step of the best one, as text
///     *.new           a checkpoint that was not finished, removed when the folder is opened
///
/// A checkpoint is filled under another name, synchronised to the disk and then renamed. So a checkpoint under its own
/// name is complete.
public struct CheckpointFolder {
  public let path: String
  private let keep: Int
  private static let unfinished = ".new"
  private static let bestName = "best"
  private static let digestsName = "digests.json"

  /// - Parameter keep: how many of the newest checkpoints stay.
  public init(_ path: String, keep: Int) throws {
    precondition(keep > 0, "at least one checkpoint has to be kept")
    self.path = path
    self.keep = keep
    for name in try Files.list(path) where name.hasSuffix(Self.unfinished) { try Files.remove("\(path)/\(name)") }
  }

  /// Saves a checkpoint, then removes the checkpoints that are no longer needed.
  ///
  /// An existing checkpoint of the same step is left as it is, because it has the same bytes.
  ///
  /// - Parameters:
  ///   - isBest: marks this checkpoint as the best so far.
  ///   - write: fills the folder it is given.
  public func save(step: Int, isBest: Bool = false, write: (String) throws -> Void) throws {
    let final = folder(step)
    if try Files.status(final) == nil {
      let temporary = final + Self.unfinished
      try Files.makeFolder(temporary)
      try write(temporary)
      try AtomicFile.write(Self.digests(in: temporary).pretty, to: "\(temporary)/\(Self.digestsName)")
      try Files.synchroniseTree(temporary)
      try Files.rename(temporary, to: final)
      try Files.synchronise(path)
    }
    if isBest { try AtomicFile.write("\(step)\n", to: mark) }
    try prune()
  }

  /// The newest undamaged checkpoint. Damaged ones are removed. If the best one is damaged all are removed, because the
  /// others rely on it.
  public func latest() throws -> (step: Int, path: String)? {
    let marked = try markedStep()
    for step in try steps() {
      guard let damage = try Self.damage(of: folder(step)) else { continue }
      Log.warning("the checkpoint of step \(step) is not used: \(damage)")
      try discard(step)
    }
    if let marked, try Files.status(folder(marked)) == nil {
      Log.warning("the best checkpoint is lost, so the work begins anew")
      try removeAll()
    }
    return try steps().last.map { ($0, folder($0)) }
  }

  /// Removes all checkpoints and the mark of the best one.
  public func removeAll() throws {
    try Files.remove(mark)
    for step in try steps() { try discard(step) }
  }

  /// Renamed first, because a folder under its own name must be complete, also while it is being removed.
  private func discard(_ step: Int) throws {
    let leaving = folder(step) + Self.unfinished
    try Files.rename(folder(step), to: leaving)
    try Files.remove(leaving)
  }

  /// The SHA-256 of every file of a checkpoint, except the file of digests, by name.
  private static func digests(in folder: String) throws -> JSON {
    var digests = JSONObject()
    for name in try Files.list(folder) where name != digestsName {
      digests[name] = .string(try SHA256.hex(ofFile: "\(folder)/\(name)"))
    }
    return .object(digests)
  }

  /// The damage of a checkpoint; nil for a whole one.
  private static func damage(of folder: String) throws -> String? {
    let path = "\(folder)/\(digestsName)"
    do {
      let (stated, found) = (
        try JSON(parsing: try Files.read(path, limit: 1 << 20), source: path, for: .strict), try digests(in: folder)
      )
      return stated == found ? nil : "\(folder): its files are not those that were written"
    } catch let failure as Failure where [.badData, .missingInput].contains(failure.status) {
      return "\(failure)"
    }
  }

  /// The checkpoint that was marked best.
  public func best() throws -> (step: Int, path: String)? {
    guard let step = try markedStep() else { return nil }
    guard try Files.status(folder(step)) != nil else {
      throw Failure(.badData, "does not name a checkpoint of this folder", at: mark)
    }
    return (step, folder(step))
  }

  private var mark: String { "\(path)/\(Self.bestName)" }

  private func markedStep() throws -> Int? {
    guard try Files.status(mark) != nil else { return nil }
    let text = String(decoding: try Files.read(mark, limit: 1 << 10), as: UTF8.self)
    guard let step = Int(text.prefix { $0 != "\n" }), step >= 0 else {
      throw Failure(.badData, "does not name a checkpoint of this folder", at: mark)
    }
    return step
  }

  /// Steps of the complete checkpoints, ascending.
  public func steps() throws -> [Int] { try Files.list(path).compactMap { Int($0) }.sorted() }

  private func prune() throws {
    let best = try best()?.step
    for step in try steps().dropLast(keep) where step != best { try discard(step) }
  }

  /// The step in twelve digits, so that names sort like steps.
  private func folder(_ step: Int) -> String {
    let digits = String(step)
    return "\(path)/" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }
}
