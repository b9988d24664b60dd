import Diagnostics
import Files
import JSON

/// The progress of a pass over pieces of work: the number of pieces, from the first, whose results are on the disk.
///
///     {"done": 12}
///
/// The file is written after the results. A resumed run repeats the pieces that had begun after that, so a repeated
/// piece has to write the same bytes.
public final class PassProgress {
  /// How often the pass is saved. It is also saved at its end and before it stops.
  public enum Interval: Sendable {
    case pieces(Int)
    case time(Duration)
  }

  /// The number of finished pieces.
  public private(set) var done: Int
  private let path: String
  private let total: Int?
  private let interval: Interval
  private var saved: (done: Int, at: ContinuousClock.Instant)

  /// Reads the progress of an earlier run; without a file nothing is done yet.
  ///
  /// - Parameters:
  ///   - path: the file, one of a builder's checkpoints.
  ///   - total: the number of pieces; nil if only the end of the pass shows it.
  /// - Throws: `.badData` for a file that does not state a possible number of pieces.
  public init(_ path: String, of total: Int?, saving interval: Interval) throws {
    done = try Self.read(path, total)
    self.path = path
    self.total = total
    self.interval = interval
    saved = (done, .now)
  }

  private static func read(_ path: String, _ total: Int?) throws -> Int {
    guard Files.exists(path) else { return 0 }
    var members = try JSONFields(try JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    let done = try members.integer("done")
    try members.finish()
    guard (0...(total ?? .max)).contains(done) else {
      let all = total.map { ", of \($0)" } ?? ""
      throw Failure(.badData, "states \(done) finished pieces of work\(all)", at: path)
        .ofUnfinishedWork(in: Files.folder(of: Files.folder(of: path)))
    }
    return done
  }

  /// Does the remaining pieces, one after the other.
  ///
  /// - Parameters:
  ///   - end: the piece to stop before; nil for the last.
  ///   - isInterrupted: asked after each piece.
  ///   - synchronise: brings the results of all pieces so far to the disk.
  /// - Throws: `.tryAgain` when told to stop, after saving.
  public func advance(
    to end: Int? = nil, isInterrupted: () throws -> Bool = { Interruption.isRequested },
    synchronise: () throws -> Void, _ piece: (Int) throws -> Void
  ) throws {
    guard let end = end ?? total else { preconditionFailure("a pass without a known end is advanced to its end") }
    while done < end {
      try piece(done)
      done += 1
      let isStopping = try isInterrupted()
      if isStopping || done == end || isDue { try save(synchronise) }
      if isStopping && done < (total ?? .max) { throw Interruption.failure }
    }
  }

  /// Does the remaining pieces until there are no more.
  ///
  /// - Parameter piece: does a piece; returns false without doing anything if there is no such piece.
  /// - Throws: as ``advance(to:isInterrupted:synchronise:_:)``.
  public func advanceToEnd(
    isInterrupted: () throws -> Bool = { Interruption.isRequested }, synchronise: () throws -> Void,
    _ piece: (Int) throws -> Bool
  ) throws {
    while try piece(done) {
      done += 1
      let isStopping = try isInterrupted()
      if isStopping || isDue { try save(synchronise) }
      if isStopping { throw Interruption.failure }
    }
    try save(synchronise)
  }

  private func save(_ synchronise: () throws -> Void) throws {
    try synchronise()
    try AtomicFile.write((["done": .integer(done)] as JSON).pretty, to: path)
    saved = (done, .now)
  }

  private var isDue: Bool {
    switch interval {
    case .pieces(let count): done - saved.done >= count
    case .time(let duration): .now - saved.at >= duration
    }
  }
}
