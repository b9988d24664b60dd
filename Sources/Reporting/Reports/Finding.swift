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
  public let interval: Interval
  /// Of the interval, a share of 1.
  public let confidence: Double
  /// The evaluated data: `text`.
  public let sample: String

  public init(
    _ subject: String, minus reference: String, metric: String, unit: String?, _ interval: Interval, confidence: Double,
    on sample: String
  ) {
    self.subject = subject
    self.reference = reference
    self.metric = metric
    self.unit = unit
    self.interval = interval
    self.confidence = confidence
    self.sample = sample
  }

  /// A whole sentence, which says whether the interval excludes zero.
  public var sentence: String {
    "Against \(reference), \(subject) \(verb) \(metric) by \(size) (\(range)): "
      + (interval.excludesZero
        ? "the interval excludes zero."
        : "the interval includes zero, so this \(sample) does not show a difference.")
  }

  /// The part of a sentence after its subject: `lowers the robust loss by ... against temperature 1`.
  public var predicate: String { "\(verb) the \(metric) by \(size) (\(range)) against \(reference)" }

  private var verb: String { !interval.excludesZero ? "changes" : interval.estimate < 0 ? "lowers" : "raises" }

  /// Signed only where the verb does not tell the direction.
  private var size: String {
    (interval.excludesZero ? fourDigits(abs(interval.estimate)) : signed(interval.estimate))
      + (unit.map { " \($0)" } ?? "")
  }

  private var range: String {
    "\(wholePercent(confidence)) interval of the difference \(fourDigits(interval.low)) to \(fourDigits(interval.high))"
  }
}
