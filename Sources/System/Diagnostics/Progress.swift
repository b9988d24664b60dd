import Glibc
import Synchronization

/// Shows how far a long piece of work is: a bar on a terminal, a plain line every few seconds elsewhere.
///
/// Rates and times left come from the clock, so nothing of this ever enters an artifact.
public final class Progress: Sendable {
  private struct State {
    var done: Int
    var lastShown: ContinuousClock.Instant
  }
  private let title: String
  private let unit: String
  private let total: Int?
  private let alreadyDone: Int
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  private static let isTerminal = isatty(STDERR_FILENO) == 1
  private static let barShown = Atomic<Bool>(false)
  private static let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(5)

  /// - Parameters:
  ///   - total: the amount of work in `unit`, or nil where it is not known.
  ///   - alreadyDone: the work of an earlier, interrupted run, which does not count towards the rate.
  public init(_ title: String, unit: String, total: Int?, alreadyDone: Int = 0) {
    self.title = title
    self.unit = unit
    self.total = total
    self.alreadyDone = alreadyDone
    state = Mutex(State(done: alreadyDone, lastShown: start))
  }

  /// Says that `done` units are finished; `detail` is shown after the figures.
  public func update(_ done: Int, detail: @autoclosure () -> String = "") {
    let now = ContinuousClock.now
    let due = state.withLock { state in
      state.done = done
      guard now - state.lastShown >= Self.interval else { return false }
      state.lastShown = now
      return true
    }
    if due && !Log.isQuiet { show(line(done, now: now, detail: detail())) }
  }

  /// Closes the bar and says how long the work took.
  public func finish(detail: String = "") {
    let now = ContinuousClock.now
    let done = state.withLock { $0.done }
    if !Log.isQuiet { Log.note(line(done, now: now, detail: detail, finished: true)) }
  }

  private func line(_ done: Int, now: ContinuousClock.Instant, detail: String, finished: Bool = false) -> String {
    let seconds = max((now - start) / .seconds(1), 1e-9)
    let rate = Double(done - alreadyDone) / seconds
    var parts = [title]
    if let total, total > 0 {
      if Self.isTerminal && !finished { parts.append(bar(Double(done) / Double(total))) }
      parts.append("\(abbreviated(Double(done)))/\(abbreviated(Double(total))) \(unit)")
    } else {
      parts.append("\(abbreviated(Double(done))) \(unit)")
    }
    parts.append("\(abbreviated(rate)) \(unit)/s")
    if finished {
      parts.append("took \(clockTime(seconds))")
    } else if let total, rate > 0 {
      parts.append("\(clockTime(Double(total - done) / rate)) left")
    }
    if !detail.isEmpty { parts.append(detail) }
    return parts.joined(separator: "  ")
  }

  private func bar(_ fraction: Double) -> String {
    let width = 24
    let filled = Int((min(max(fraction, 0), 1) * Double(width)).rounded())
    return "[" + String(repeating: "=", count: filled) + String(repeating: " ", count: width - filled) + "]"
  }

  private func show(_ line: String) {
    if Self.isTerminal {
      writeToStandardError("\r\u{1B}[K\(line)")
      Self.barShown.store(true, ordering: .relaxed)
    } else {
      writeToStandardError(line + "\n")
    }
  }

  /// Takes a bar off the terminal so that a line of text can stand in its place.
  static func eraseBar() {
    if barShown.exchange(false, ordering: .relaxed) { writeToStandardError("\r\u{1B}[K") }
  }
}
