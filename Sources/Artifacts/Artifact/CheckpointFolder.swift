import Diagnostics

/// Checkpoints of a stage: the newest few, and the one marked best.
///
///     000000000200/   a complete checkpoint, by its step
///     best            the step of the best one, as text
///     *.new           a checkpoint that was not finished, removed when the folder is opened
///
/// A checkpoint is filled under another name, brought to the disk and renamed, so one under its own name is complete.
public struct CheckpointFolder {
  public let path: String
  private let keep: Int
  private static let unfinished = ".new"
  private static let bestName = "best"

  /// - Parameter keep: how many of the newest checkpoints stay.
  public init(_ path: String, keep: Int) throws {
    precondition(keep > 0, "at least one checkpoint has to be kept")
    self.path = path
    self.keep = keep
    for name in try Files.list(path) where name.hasSuffix(Self.unfinished) { try Files.remove("\(path)/\(name)") }
  }

  /// Saves a checkpoint, then removes those that are no longer to be kept.
  ///
  /// A step that is already there stays as it is: the same step of the same work holds the same bytes.
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
      try Files.synchroniseTree(temporary)
      try Files.rename(temporary, to: final)
      try Files.synchronise(path)
    }
    if isBest { try AtomicFile.write("\(step)\n", to: "\(path)/\(Self.bestName)") }
    try prune()
  }

  /// The newest complete checkpoint.
  public func latest() throws -> (step: Int, path: String)? { try steps().last.map { ($0, folder($0)) } }

  /// The checkpoint that was marked best.
  public func best() throws -> (step: Int, path: String)? {
    let mark = "\(path)/\(Self.bestName)"
    guard try Files.status(mark) != nil else { return nil }
    let text = String(decoding: try Files.read(mark), as: UTF8.self)
    guard let step = Int(text.prefix { $0 != "\n" }), try Files.status(folder(step)) != nil else {
      throw Failure(.badData, "names no checkpoint of this folder", at: mark)
    }
    return (step, folder(step))
  }

  /// Steps of the complete checkpoints, ascending.
  public func steps() throws -> [Int] { try Files.list(path).compactMap { Int($0) }.sorted() }

  private func prune() throws {
    let best = try best()?.step
    for step in try steps().dropLast(keep) where step != best {
      // Under its own name a folder must be complete, also while it is being removed.
      let leaving = folder(step) + Self.unfinished
      try Files.rename(folder(step), to: leaving)
      try Files.remove(leaving)
    }
  }

  /// The step in twelve digits, so that names sort like steps.
  private func folder(_ step: Int) -> String {
    let digits = String(step)
    return "\(path)/" + String(repeating: "0", count: max(0, 12 - digits.count)) + digits
  }
}
