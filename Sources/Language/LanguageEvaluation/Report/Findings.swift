import Diagnostics
import Statistics

/// A report's numbers as plain sentences: what each policy changed, and whether the test text is large enough to
/// tell, whichever way it went.
public struct Findings: Sendable {
  /// One per comparison, in the order of the policies.
  public let sentences: [String]
  /// What the intervals allow one to say about the policy that a report is about, in one sentence.
  public let headline: String

  /// The Brier score stands in the tables: a third sentence on each pair would only bury the other two.
  private static let judged: [ComparedMetric] = [.robustLoss, .crossEntropy]

  public init(_ metrics: TextMetrics, leading: String) {
    var sentences: [String] = []
    for policy in metrics.policies.dropFirst() where policy.kind != .bestCrossEntropy && policy.kind != .bestRobustLoss
    {
      for reference in Self.references(for: policy, in: metrics) {
        sentences += Self.judged.compactMap { metric in
          metrics.difference(policy.name, minus: reference.name, in: metric).map { interval in
            Self.sentence(policy, reference, metric, interval, confidence: metrics.bootstrap.confidence)
          }
        }
      }
      if policy.kind == .tempnet { sentences += Self.gap(policy, in: metrics).map { [$0] } ?? [] }
    }
    self.sentences = sentences
    headline = Self.headline(metrics, leading: leading)
  }

  // MARK: The headline

  /// The policy against the best single temperature by the same measure, for both losses.
  private static func headline(_ metrics: TextMetrics, leading: String) -> String {
    guard let policy = metrics.policies.first(where: { $0.name == leading }) else { return "" }
    let opponents: [(metric: ComparedMetric, kind: PolicyKind)] = [
      (.robustLoss, .bestRobustLoss), (.crossEntropy, .bestCrossEntropy),
    ]
    let compared = opponents.map { metric, kind in
      let reference = metrics.policy(kind) ?? metrics.policies[0]
      return (metric, reference, metrics.difference(leading, minus: reference.name, in: metric))
    }.compactMap { metric, reference, interval in interval.map { (metric, reference, $0) } }
    let confidence = wholePercent(metrics.bootstrap.confidence)
    guard !compared.isEmpty else { return "There is nothing to compare \(policy.title) with." }
    let changes = compared.map { metric, reference, interval in
      let verb = !interval.excludesZero ? "changes" : interval.estimate < 0 ? "lowers" : "raises"
      let size = interval.excludesZero ? fourDigits(abs(interval.estimate)) : signed(interval.estimate)
      return "\(verb) the \(metric.title) by \(size) nats per token (\(confidence) interval of the difference "
        + "\(fourDigits(interval.low)) to \(fourDigits(interval.high))) against \(reference.title)"
        + (metric == .robustLoss && interval.high < 0 ? share(policy, in: metrics) : "")
    }
    return "On these \(grouped(metrics.extent.tokens)) tokens \(policy.title) \(changes.joined(separator: ", and ")): "
      + verdict(compared.map(\.2.excludesZero), blocks: metrics.bootstrap.blockCount)
      + ", for this model and text like this."
  }

  private static func share(_ policy: PolicyMetrics, in metrics: TextMetrics) -> String {
    guard let gap = metrics.meaningfulGapClosed(by: policy) else { return "" }
    return ", \(percent(gap.estimate)) of what the best temperature for every token would gain"
  }

  /// Percentiles of resamples of fewer blocks than this are too narrow to rely on.
  private static let fewestBlocks = 10

  private static func verdict(_ excludeZero: [Bool], blocks: Int) -> String {
    guard blocks >= fewestBlocks else { return "\(counted(blocks, "block")) of text are too few to say so" }
    if excludeZero.allSatisfy({ $0 }) { return "the text is long enough to say so" }
    if !excludeZero.contains(true) { return "the text does not show a difference" }
    let (shown, open) = excludeZero[0] ? ("first", "second") : ("second", "first")
    return "the text is long enough to say the \(shown), not the \(open)"
  }

  // MARK: Single comparisons

  /// Temperature 1 for everyone; a TempNet must also stand up to the best single temperatures.
  private static func references(for policy: PolicyMetrics, in metrics: TextMetrics) -> [PolicyMetrics] {
    let best: [PolicyKind] = policy.kind == .tempnet ? [.bestCrossEntropy, .bestRobustLoss] : []
    return [metrics.policies[0]] + best.compactMap { metrics.policy($0) }
  }

  private static func sentence(
    _ policy: PolicyMetrics, _ reference: PolicyMetrics, _ metric: ComparedMetric, _ interval: Interval,
    confidence: Double
  ) -> String {
    let name = metric.title
    let size = fourDigits(abs(interval.estimate))
    let percent = wholePercent(confidence)
    let range = "\(percent) interval of the difference \(fourDigits(interval.low)) to \(fourDigits(interval.high))"
    let subject = "Against \(reference.title), \(policy.title)"
    guard interval.excludesZero else {
      return "\(subject) changes \(name) by \(signed(interval.estimate)) nats per token (\(range)): the interval "
        + "includes zero, so this text does not show a difference."
    }
    let verb = interval.estimate < 0 ? "lowers" : "raises"
    return "\(subject) \(verb) \(name) by \(size) nats per token (\(range)): the interval excludes zero."
  }

  private static func gap(_ policy: PolicyMetrics, in metrics: TextMetrics) -> String? {
    guard let gap = metrics.meaningfulGapClosed(by: policy), let start = metrics.policy(.bestRobustLoss) else {
      return nil
    }
    return "Of the gap in robust loss between \(start.title) and the exact optimum of every token, \(policy.title) "
      + "closes \(percent(gap.estimate)) (interval \(percent(gap.low)) to \(percent(gap.high)))."
  }
}
