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
  ///   - alreadyDone: what an earlier, interrupted run did; it does not count towards the rate.
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

/// A figure with at most four digits and a decimal prefix: `1.23k`, `45.6M`.
public func abbreviated(_ value: Double) -> String {
  for (scale, prefix) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= scale {
    return fixed(value / scale, digits: 2) + prefix
  }
  return value == value.rounded() ? fixed(value, digits: 0) : fixed(value, digits: 2)
}

/// A number of seconds as `42s`, `3m05s` or `2h07m`.
public func clockTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
  if whole < 60 { return "\(whole)s" }
  if whole < 3600 { return "\(whole / 60)m\(two(whole % 60))s" }
  return "\(whole / 3600)h\(two(whole / 60 % 60))m"
}

/// A number with a fixed count of digits after the point, always with a point: independent of the locale.
public func fixed(_ value: Double, digits: Int) -> String {
  guard value.isFinite else { return "\(value)" }
  var buffer = [CChar](repeating: 0, count: 400)
  return withVaList([Int32(digits), value]) { arguments in
    let length = vsnprintf(&buffer, buffer.count, "%.*f", arguments)
    return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
