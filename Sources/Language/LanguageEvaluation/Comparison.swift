import Statistics

/// The metrics by which two policies are compared. Losses are means over tokens in nats.
public enum ComparedMetric: String, Sendable, CaseIterable {
  case robustLoss = "robust_loss"
  case crossEntropy = "cross_entropy"
  case brier
  case calibrationError = "calibration_error"
  /// Of the likeliest tokens. Only another model's can differ: no temperature changes which token is the likeliest.
  case accuracy

  /// Those that are the mean over tokens of a number for each.
  static let means: [ComparedMetric] = [.robustLoss, .crossEntropy, .brier]

  public var isMoreBetter: Bool { self == .accuracy }
}

/// How much more of a metric one policy has than another, on the same tokens.
public struct Difference: Equatable, Sendable {
  public let policy: String
  public let reference: String
  public let metric: ComparedMetric
  /// Simultaneous over every pair of policies by this metric.
  public let comparison: SimultaneousIntervals.Comparison
  public let verdict: Verdict

  /// The reference minus the policy.
  public var negated: Difference {
    Difference(
      policy: reference, reference: policy, metric: metric, comparison: comparison.negated, verdict: verdict.negated)
  }
}

/// The paired comparison of all policies, from one set of draws of clusters.
struct Comparison {
  private let policies: [PolicyScores]
  private let means: [ComparedMetric: [ClusteredMean]]
  private let rules: ComparisonRules
  private let bootstrap: ClusterBootstrap
  /// The mean robust loss of each policy in each resample; empty for a single cluster.
  private let resampledLosses: [[Double]]
  /// For each metric every pair of policies, the later one minus the earlier one; empty for a single cluster.
  let differences: [Difference]

  init(_ scores: TestScores, clusters: Clusters, rules: ComparisonRules) {
    policies = scores.policies
    self.rules = rules
    bootstrap = rules.bootstrap(of: clusters)
    var means: [ComparedMetric: [ClusteredMean]] = [:]
    for metric in ComparedMetric.allCases {
      means[metric] = scores.policies.map { ClusteredMean(scores.values(of: metric, for: $0), in: clusters) }
    }
    self.means = means
    differences = Self.differences(scores.policies, means, bootstrap, rules)
    let losses = means[.robustLoss]!
    if clusters.count > 1 {
      let sums = bootstrap.resampledSums(of: [losses[0].parts[0].counts] + losses.map { $0.parts[0].sums })
      resampledLosses = sums.dropFirst().map { zip($0, sums[0]).map(/) }
    } else {
      resampledLosses = []
    }
  }

  private static func differences(
    _ policies: [PolicyScores], _ means: [ComparedMetric: [ClusteredMean]], _ bootstrap: ClusterBootstrap,
    _ rules: ComparisonRules
  ) -> [Difference] {
    ComparedMetric.allCases.flatMap { metric in
      let pairs = policies.indices.flatMap { reference in
        (reference + 1..<policies.count).map { (policy: $0, reference: reference) }
      }.filter { metric != .accuracy || policies[$0.policy].other?.number != policies[$0.reference].other?.number }
      let quantities = means[metric]!
      guard !pairs.isEmpty,
        let intervals = SimultaneousIntervals(
          pairs.map { quantities[$0.policy] - quantities[$0.reference] }, bootstrap: bootstrap)
      else { return [Difference]() }
      return zip(pairs, intervals.comparisons).map { pair, comparison in
        Difference(
          policy: policies[pair.policy].name, reference: policies[pair.reference].name, metric: metric,
          comparison: comparison,
          verdict: Verdict(comparison, margin: rules.margins[metric], isMoreBetter: metric.isMoreBetter))
      }
    }
  }

  /// The mean of a metric for one policy, with the t interval of clusters, if there are several.
  func mean(of metric: ComparedMetric, for index: Int) -> (value: Double, interval: Interval?) {
    let mean = means[metric]![index]
    return (mean.estimate, mean.interval(confidence: rules.confidence))
  }

  /// `(loss(best single) - loss(policy)) / (loss(best single) - loss(exact))` in robust loss, with percentiles of its
  /// resampled values; nil for the two ends themselves, and where there is no gap to close.
  func gapClosed(by index: Int) -> Interval? {
    guard let start = policies.firstIndex(where: { $0.kind == .bestRobustLoss }),
      let end = policies.firstIndex(where: { $0.kind == .exact }), index != start, index != end,
      !resampledLosses.isEmpty
    else { return nil }
    let losses = means[.robustLoss]!.map(\.estimate)
    let (from, to, own) = (resampledLosses[start], resampledLosses[end], resampledLosses[index])
    guard losses[start] > losses[end], zip(from, to).allSatisfy({ $0 > $1 }) else { return nil }
    let shares = from.indices.map { (from[$0] - own[$0]) / (from[$0] - to[$0]) }
    return Interval(
      estimate: (losses[start] - losses[index]) / (losses[start] - losses[end]), resampled: shares,
      confidence: rules.confidence)
  }
}

extension TestScores {
  /// Numbers whose mean over tokens is a policy's figure.
  fileprivate func values(of metric: ComparedMetric, for policy: PolicyScores) -> [Double] {
    let isCorrect = policy.other?.isCorrect ?? isCorrect
    switch metric {
    case .robustLoss: return robustLoss(of: policy)
    case .crossEntropy: return policy.crossEntropy.map(Double.init)
    case .brier: return policy.brier.map(Double.init)
    case .calibrationError:
      return Calibration(confidence: policy.confidence, isCorrect: isCorrect).contributions(
        confidence: policy.confidence, isCorrect: isCorrect)
    case .accuracy: return isCorrect.map { $0 ? 1 : 0 }
    }
  }
}
