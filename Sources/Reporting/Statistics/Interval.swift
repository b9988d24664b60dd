/// An estimate and the interval around it.
public struct Interval: Equatable, Sendable {
  public let estimate: Double
  public let low: Double
  public let high: Double

  public init(estimate: Double, low: Double, high: Double) {
    self.estimate = estimate
    self.low = low
    self.high = high
  }

  /// The interval that reaches as far below the estimate as above it.
  public init(estimate: Double, halfWidth: Double) {
    self.init(estimate: estimate, low: estimate - halfWidth, high: estimate + halfWidth)
  }

  /// An estimate with the percentiles of its resampled values around it (Efron and Tibshirani 1993, chapter 13).
  ///
  /// - Parameter confidence: the share of resamples inside the interval.
  public init(estimate: Double, resampled: [Double], confidence: Double) {
    let sorted = resampled.sorted()
    let tail = (1 - confidence) / 2
    self.init(
      estimate: estimate, low: quantile(tail, ofSorted: sorted.count) { sorted[$0] },
      high: quantile(1 - tail, ofSorted: sorted.count) { sorted[$0] })
  }

  public var excludesZero: Bool { low > 0 || high < 0 }

  /// The same in another unit.
  public func scaled(by factor: Double) -> Interval {
    Interval(estimate: estimate * factor, low: low * factor, high: high * factor)
  }

  /// The interval of the opposite difference.
  public var negated: Interval { Interval(estimate: -estimate, low: -high, high: -low) }
}
