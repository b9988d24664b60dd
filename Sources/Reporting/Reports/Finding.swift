import Diagnostics
import Statistics

/// How much more or less of a metric one thing has than another on the same data, in words.
public struct Finding: Sendable {
  /// The measured policy: `the fitted TempNet`.
  public let subject: String
  /// The reference: `temperature 1`.
  public let reference: String
  /// `robust loss`.
  public let metric: String
  /// `nats per token`; nil for a metric without one.
  public let unit: String?
  /// The subject minus the reference.
  public let comparison: SimultaneousIntervals.Comparison
  public let verdict: Verdict
  /// Of the intervals, a share of 1.
  public let confidence: Double

  public init(
    _ subject: String, minus reference: String, metric: String, unit: String?,
    _ comparison: SimultaneousIntervals.Comparison, _ verdict: Verdict, confidence: Double
  ) {
    self.subject = subject
    self.reference = reference
    self.metric = metric
    self.unit = unit
    self.comparison = comparison
    self.verdict = verdict
    self.confidence = confidence
  }

  /// A whole sentence with the verdict, and where there is none with the difference that would have been seen.
  public var sentence: String { "Against \(reference), \(subject) \(verb) \(metric) by \(size) (\(range)): \(words)." }

  /// The part of a sentence after its subject: `lowers the robust loss by ... (...; better) against temperature 1`.
  public var predicate: String { "\(verb) the \(metric) by \(size) (\(range); \(words)) against \(reference)" }

  private var interval: Interval { comparison.simultaneous }

  private var words: String {
    verdict == .undecided
      ? "undecided, a difference of \(fourDigits(comparison.smallestDetectable)) would have been seen"
      : verdict.rawValue
  }

  private var verb: String { !interval.excludesZero ? "changes" : interval.estimate < 0 ? "lowers" : "raises" }

  /// Signed only where the verb does not tell the direction.
  private var size: String {
    (interval.excludesZero ? fourDigits(abs(interval.estimate)) : signed(interval.estimate))
      + (unit.map { " \($0)" } ?? "")
  }

  private var range: String {
    "simultaneous \(wholePercent(confidence)) interval \(fourDigits(interval.low)) to \(fourDigits(interval.high))"
  }
}
