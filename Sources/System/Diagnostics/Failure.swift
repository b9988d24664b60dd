import Glibc

/// How a program ends, after BSD's `sysexits.h`; cron, make and the runner read these numbers.
public enum ExitStatus: Int32, Sendable, CaseIterable {
  case done = 0
  /// The command line is wrong.
  case usage = 64
  /// The content of a file is wrong.
  case badData = 65
  /// A file, folder or artifact that was named does not exist.
  case missingInput = 66
  /// Software that has to be installed is missing, or there is not enough memory.
  case unavailable = 69
  /// An error in this software.
  case `internal` = 70
  /// The output is another result, or the unfinished work on one, or cannot be created.
  case outputExists = 73
  /// Reading or writing failed: no space, no permission, a broken disk.
  case inputOutput = 74
  /// Interrupted, out of time, or locked by another process: the same command may be run again.
  case tryAgain = 75
  /// A configuration is wrong.
  case badConfiguration = 78
}

/// An error that a user can understand and act on.
///
/// `message` says what was found and what was expected; `place` names the file and where in it
/// (`data/austen.yaml, line 3`), or the option. Programmer mistakes trap instead.
public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
  public let status: ExitStatus
  public let place: String?
  public let message: String
  /// Whether another process is making the same output: whoever waits for that one may find the output finished.
  public let isBusy: Bool

  public init(_ status: ExitStatus, _ message: String, at place: String? = nil, isBusy: Bool = false) {
    self.status = status
    self.place = place
    self.message = message
    self.isBusy = isBusy
  }

  public var description: String { place.map { "\($0): \(message)" } ?? message }
}

extension Failure {
  /// Adds a place to the failures of work that does not know its file. An interruption stays without one.
  public static func locating<Result>(_ place: String, _ work: () throws -> Result) throws -> Result {
    do {
      return try work()
    } catch let failure as Failure where failure.place == nil && failure.status != .tryAgain {
      throw Failure(failure.status, failure.message, at: place)
    }
  }

  /// The failure of a system call on a file, with the system's message.
  ///
  /// - Parameters:
  ///   - action: the failed action, as in `cannot write`.
  ///   - code: the value of `errno`.
  ///   - status: the exit status; by default `.missingInput` for a file that does not exist.
  public static func system(
    _ action: String, _ path: String, code: Int32 = errno, status: ExitStatus? = nil
  ) -> Failure {
    let words = String(cString: strerror(code))
    let usual: ExitStatus = code == ENOENT || code == ENOTDIR ? .missingInput : .inputOutput
    return Failure(status ?? usual, "\(action): \(words)", at: path)
  }
}

/// The candidate nearest to a misspelt word, if one is near enough to be worth suggesting.
public func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
  let limit = max(1, (word.count + 1) / 3)
  let ranked = candidates.map { ($0, editDistance(word, $0)) }.filter { $0.1 <= limit }
  return ranked.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
}

/// Levenshtein's distance between two words, in characters.
private func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let substituted = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, diagonal + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
