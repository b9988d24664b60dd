/// The conclusion that a comparison allows about a policy against a reference.
public enum Verdict: String, Equatable, Sendable, CaseIterable {
  /// The simultaneous interval of the difference excludes zero.
  case better, worse
  /// The narrow interval lies inside a margin that was set beforehand.
  case equivalent
  case undecided

  /// - Parameters:
  ///   - comparison: policy minus reference.
  ///   - margin: the largest difference that counts as none, above 0.
  ///   - isMoreBetter: whether more of the metric is better.
  public init(_ comparison: SimultaneousIntervals.Comparison, margin: Double, isMoreBetter: Bool) {
    self.init(
      simultaneous: comparison.simultaneous, narrow: comparison.narrow, margin: margin, isMoreBetter: isMoreBetter)
  }

  /// - Parameters:
  ///   - simultaneous: the interval that holds together with those of all comparisons made.
  ///   - narrow: the 90 % interval of this difference alone, as two one-sided tests at 5 % need it (Schuirmann 1987).
  public init(simultaneous: Interval, narrow: Interval, margin: Double, isMoreBetter: Bool) {
    if simultaneous.excludesZero {
      self = (simultaneous.estimate > 0) == isMoreBetter ? .better : .worse
    } else if narrow.low > -margin && narrow.high < margin {
      self = .equivalent
    } else {
      self = .undecided
    }
  }

  /// Of the opposite difference.
  public var negated: Verdict {
    switch self {
    case .better: .worse
    case .worse: .better
    case .equivalent, .undecided: self
    }
  }

  /// The verdict of several runs: theirs if all agree, otherwise undecided.
  ///
  /// - Parameter verdicts: one per run, at least one.
  public init(agreeing verdicts: [Verdict]) {
    self = verdicts.allSatisfy { $0 == verdicts[0] } ? verdicts[0] : .undecided
  }
}

/// The smallest true difference that a test of this size would find with the given power: (z_(1-α/2) + z_power) standard
/// errors, 2.80 of them at 95 % confidence and 80 % power.
public func smallestDetectableDifference(
  standardError: Double, confidence: Double = 0.95, power: Double = 0.8
) -> Double {
  (Normal.quantile(upperTail: (1 - confidence) / 2) + Normal.quantile(upperTail: 1 - power)) * standardError
}
