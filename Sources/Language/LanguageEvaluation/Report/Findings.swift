import Diagnostics
import Reports
import Statistics

/// A report's numbers as plain sentences: what each policy changed, and whether the test text is large enough to
/// tell, whichever way it went.
public struct Findings: Sendable {
  /// One per comparison, in the order of the policies.
  public let sentences: [String]
  /// The conclusion that the intervals allow about a report's main policy, in one sentence.
  public let headline: String

  /// The Brier score stands in the tables: a third sentence on each pair would only bury the other two.
  private static let judged: [ComparedMetric] = [.robustLoss, .crossEntropy]

  public init(_ metrics: TextMetrics, leading: String) {
    var sentences: [String] = []
    for policy in metrics.policies.dropFirst()
    where ![.bestCrossEntropy, .bestRobustLoss, .baseline].contains(policy.kind) {
      for reference in Self.references(for: policy, in: metrics) {
        sentences += Self.judged.compactMap { metric in
          Self.finding(policy, minus: reference, metric, in: metrics)?.sentence
        }
      }
      if policy.kind == .tempnet { sentences += Self.gap(policy, in: metrics).map { [$0] } ?? [] }
    }
    self.sentences = sentences
    headline =
      (Self.againstOtherModel(metrics, leading: leading) + [Self.headline(metrics, leading: leading)])
      .filter { !$0.isEmpty }.joined(separator: " ")
  }

  // MARK: The headline

  /// The model's own TempNet, and the policy that the report is about, against the other model at temperature 1: only a
  /// plainly trained model tells what joint training is worth. Empty without another model.
  private static func againstOtherModel(_ metrics: TextMetrics, leading: String) -> [String] {
    guard let other = metrics.policy(.baseline) else { return [] }
    let policies = metrics.policies.filter { $0.name == PolicyName.model || $0.name == leading }
    return policies.compactMap { policy in
      finding(policy, minus: other, .crossEntropy, in: metrics).map { "\(policy.title.capitalised) \($0.predicate)." }
    }
  }

  /// The policy against the best single temperature by the same measure, for both losses.
  private static func headline(_ metrics: TextMetrics, leading: String) -> String {
    guard let policy = metrics.policies.first(where: { $0.name == leading }) else { return "" }
    let opponents: [(metric: ComparedMetric, kind: PolicyKind)] = [
      (.robustLoss, .bestRobustLoss), (.crossEntropy, .bestCrossEntropy),
    ]
    let findings = opponents.compactMap { metric, kind in
      finding(policy, minus: metrics.policy(kind) ?? metrics.policies[0], metric, in: metrics)
    }
    guard !findings.isEmpty else { return "There is nothing to compare \(policy.title) with." }
    let changes = findings.map { finding in
      finding.predicate
        + (finding.metric == ComparedMetric.robustLoss.title && finding.verdict == .better
          ? share(policy, in: metrics) : "")
    }
    return "On these \(grouped(metrics.extent.tokens)) tokens \(policy.title) \(changes.joined(separator: ", and "))."
      + doubt(metrics)
  }

  private static func share(_ policy: PolicyMetrics, in metrics: TextMetrics) -> String {
    guard let gap = metrics.meaningfulGapClosed(by: policy) else { return "" }
    return ", \(percent(gap.estimate)) of what the best temperature for every token would gain"
  }

  private static func doubt(_ metrics: TextMetrics) -> String {
    metrics.clusters.clusters.count < Clusters.fewestReliable
      ? " Intervals over \(metrics.clusters.words) hold the truth less often than they say." : ""
  }

  // MARK: Single comparisons

  /// Temperature 1 for everyone; a TempNet must also stand up to the best single temperatures, and to another model at
  /// temperature 1 and at its best.
  private static func references(for policy: PolicyMetrics, in metrics: TextMetrics) -> [PolicyMetrics] {
    guard policy.kind == .tempnet else { return [metrics.policies[0]] }
    return [metrics.policies[0]] + [.bestCrossEntropy, .bestRobustLoss].compactMap { metrics.policy($0) }
      + metrics.policies.filter { $0.kind == .baseline }.prefix(2)
  }

  /// Nil where the two were not compared.
  private static func finding(
    _ policy: PolicyMetrics, minus reference: PolicyMetrics, _ metric: ComparedMetric, in metrics: TextMetrics
  ) -> Finding? {
    metrics.difference(policy.name, minus: reference.name, in: metric).map { difference in
      Finding(
        policy.title, minus: reference.title, metric: metric.title, unit: metric.unit, difference.comparison,
        difference.verdict, confidence: metrics.rules.confidence)
    }
  }

  private static func gap(_ policy: PolicyMetrics, in metrics: TextMetrics) -> String? {
    guard let gap = metrics.meaningfulGapClosed(by: policy), let start = metrics.policy(.bestRobustLoss) else {
      return nil
    }
    return "Of the gap in robust loss between \(start.title) and the exact optimum of every token, \(policy.title) "
      + "closes \(percent(gap.estimate)) (interval \(percent(gap.low)) to \(percent(gap.high)))."
  }
}
