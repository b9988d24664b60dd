import Diagnostics
import Files
import JSON

/// How far a pass over pieces of work is: how many of them, counted from the first, have their results on the disk.
///
///     {"done": 12}
///
/// The file is written after the results. An interrupted run goes on from there and does again the pieces that it had
/// begun, so every piece has to write what it wrote before.
public final class PassProgress {
  /// When the pass is saved, besides at its end and before it stops.
  public enum Interval: Sendable {
    case pieces(Int)
    case time(Duration)
  }

  /// How many pieces are done.
  public private(set) var done: Int
  private let path: String
  private let total: Int
  private let interval: Interval
  private var saved: (done: Int, at: ContinuousClock.Instant)

  /// Reads what an earlier run has done, nothing if there is no file.
  ///
  /// - Parameters:
  ///   - path: the file, one of a builder's checkpoints.
  ///   - total: the number of pieces.
  /// - Throws: `.badData` for a file of another content, and for more pieces than there are.
  public init(_ path: String, of total: Int, saving interval: Interval) throws {
    done = try Self.read(path, total)
    self.path = path
    self.total = total
    self.interval = interval
    saved = (done, .now)
  }

  private static func read(_ path: String, _ total: Int) throws -> Int {
    guard Files.exists(path) else { return 0 }
    var members = try JSONFields(try JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    let done = try members.integer("done")
    try members.finish()
    guard (0...total).contains(done) else {
      throw Failure(.badData, "states \(done) finished pieces of work, of \(total)", at: path)
        .ofUnfinishedWork(in: Files.folder(of: Files.folder(of: path)))
    }
    return done
  }

  /// Does the pieces that are not done, one after the other.
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
    let end = end ?? total
    while done < end {
      try piece(done)
      done += 1
      let isStopping = try isInterrupted()
      if isStopping || done == end || isDue {
        try synchronise()
        try AtomicFile.write((["done": .integer(done)] as JSON).pretty, to: path)
        saved = (done, .now)
      }
      if isStopping && done < total { throw Interruption.failure }
    }
  }

  private var isDue: Bool {
    switch interval {
    case .pieces(let count): done - saved.done >= count
    case .time(let duration): .now - saved.at >= duration
    }
  }
}
