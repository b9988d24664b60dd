import Diagnostics

/// With its sign, also where that is a plus; a figure that is stated as a bound has none.
func signed(_ value: Double) -> String {
  let text = fourDigits(value)
  return value > 0 && !text.hasPrefix("<") ? "+" + text : text
}

/// `1234567` as `1,234,567`.
func grouped(_ number: Int) -> String {
  let digits = Array(String(number.magnitude))
  let groups = digits.indices.map { index in
    (index > 0 && (digits.count - index) % 3 == 0 ? "," : "") + String(digits[index])
  }
  return (number < 0 ? "-" : "") + groups.joined()
}

/// `0.5`, `5`: as short as the number allows.
public func shortest(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? fixed(value, digits: 0) : "\(value)"
}

extension Metrics {
  /// The least gap in robust loss, in nats per token, of which a report states shares: of less, the noise of any policy
  /// is hundreds of percent.
  private static let leastGap = 1e-3

  /// The share of the gap that a policy closes, where there is a gap to speak of. `metrics.json` has it wherever it can
  /// be computed.
  func meaningfulGapClosed(by policy: PolicyMetrics) -> Interval? {
    guard let start = self.policy(.bestRobustLoss), let end = self.policy(.exact),
      let gap = difference(start.name, minus: end.name, in: .robustLoss), gap.estimate >= Self.leastGap
    else { return nil }
    return policy.gapClosed
  }
}
