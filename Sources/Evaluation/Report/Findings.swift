import Diagnostics

/// A report's numbers as plain sentences: what each policy changed, and whether the test text is large enough to
/// tell, whichever way it went.
public struct Findings: Sendable {
  /// One per comparison, in the order of the policies.
  public let sentences: [String]

  public init(_ metrics: Metrics) {
    var sentences: [String] = []
    for policy in metrics.policies.dropFirst() where policy.kind != .bestCrossEntropy && policy.kind != .bestRobustLoss
    {
      for reference in Self.references(for: policy, in: metrics) {
        sentences += ComparedMetric.allCases.compactMap { metric in
          metrics.difference(policy.name, minus: reference.name, in: metric).map { interval in
            Self.sentence(policy, reference, metric, interval, confidence: metrics.bootstrap.confidence)
          }
        }
      }
      if policy.kind == .tempnet { sentences += Self.gap(policy, in: metrics).map { [$0] } ?? [] }
    }
    self.sentences = sentences
  }

  /// Temperature 1 for everyone; a TempNet must also stand up to the best single temperatures.
  private static func references(for policy: PolicyMetrics, in metrics: Metrics) -> [PolicyMetrics] {
    let best: [PolicyKind] = policy.kind == .tempnet ? [.bestCrossEntropy, .bestRobustLoss] : []
    return [metrics.policies[0]] + best.compactMap { metrics.policy($0) }
  }

  private static func sentence(
    _ policy: PolicyMetrics, _ reference: PolicyMetrics, _ metric: ComparedMetric, _ interval: Interval,
    confidence: Double
  ) -> String {
    let name = metric == .robustLoss ? "robust loss" : "cross-entropy"
    let size = nats(abs(interval.estimate))
    let percent = fixed(confidence * 100, digits: 0)
    let range = "\(percent) % interval of the difference \(nats(interval.low)) to \(nats(interval.high))"
    let subject = "Against \(reference.title), \(policy.title)"
    guard interval.excludesZero else {
      return "\(subject) changes \(name) by \(signed(interval.estimate)) nats per token (\(range)): the interval "
        + "includes zero, so this text does not show a difference."
    }
    let verb = interval.estimate < 0 ? "lowers" : "raises"
    return "\(subject) \(verb) \(name) by \(size) nats per token (\(range)): the interval excludes zero."
  }

  private static func gap(_ policy: PolicyMetrics, in metrics: Metrics) -> String? {
    guard let gap = policy.gapClosed, let start = metrics.policy(.bestRobustLoss) else { return nil }
    func percent(_ share: Double) -> String { "\(fixed(share * 100, digits: 1)) %" }
    return "Of the gap in robust loss between \(start.title) and the exact optimum of every token, \(policy.title) "
      + "closes \(percent(gap.estimate)) (interval \(percent(gap.low)) to \(percent(gap.high)))."
  }

  private static func nats(_ value: Double) -> String { fixed(value, digits: 4) }
  private static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + nats(value) }
}
