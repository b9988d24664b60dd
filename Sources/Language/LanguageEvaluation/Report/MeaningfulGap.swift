import Statistics

extension TextMetrics {
  /// The least gap in robust loss, in nats per token, of which a report states shares; of a smaller gap, noise would be
  /// hundreds of percent.
  private static let leastGap = 1e-3

  /// The share of the gap that a policy closes, where there is a gap to speak of. `metrics.json` has it wherever it can
  /// be computed.
  func meaningfulGapClosed(by policy: PolicyMetrics) -> Interval? {
    guard let start = self.policy(.bestRobustLoss), let end = self.policy(.exact),
      let gap = difference(start.name, minus: end.name, in: .robustLoss)?.comparison, gap.estimate >= Self.leastGap
    else { return nil }
    return policy.gapClosed
  }
}
