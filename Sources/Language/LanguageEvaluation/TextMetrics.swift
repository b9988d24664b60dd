import Glibc
import Statistics
import TemperatureSettings

/// Everything that a report states, computed from the scores of single tokens.
public struct TextMetrics: Sendable {
  public let extent: TextExtent
  public let rho: Double
  public let targetEntropy: Double
  public let vocabulary: Int
  public let bounds: ClosedRange<Double>
  public let accuracy: Double
  public let entropy: Distribution
  public let policies: [PolicyMetrics]
  /// What is drawn together for intervals.
  public let clusters: TextClusters
  public let rules: ComparisonRules
  /// For each metric every pair of policies, the later one minus the earlier one; empty for a single cluster.
  public let differences: [Difference]

  public init(_ scores: TestScores, clusters: TextClusters, rules: ComparisonRules) {
    extent = scores.extent
    rho = scores.rho
    targetEntropy = scores.targetEntropy
    vocabulary = scores.vocabulary
    bounds = scores.bounds
    accuracy = Double(scores.isCorrect.count { $0 }) / Double(scores.isCorrect.count)
    entropy = Distribution(of: scores.entropy)
    let comparison = Comparison(scores, clusters: clusters.clusters, rules: rules)
    let exact = scores.policies.first { $0.kind == .exact }
    policies = scores.policies.enumerated().map { index, policy in
      PolicyMetrics(policy, in: scores, exact: exact, comparison: comparison, index: index)
    }
    (self.clusters, self.rules) = (clusters, rules)
    differences = comparison.differences
  }

  /// The difference between two policies, whichever was listed first, as `policy` minus `reference`.
  public func difference(_ policy: String, minus reference: String, in metric: ComparedMetric) -> Difference? {
    for difference in differences where difference.metric == metric {
      if (difference.policy, difference.reference) == (policy, reference) { return difference }
      if (difference.policy, difference.reference) == (reference, policy) { return difference.negated }
    }
    return nil
  }

  public func policy(_ kind: PolicyKind) -> PolicyMetrics? { policies.first { $0.kind == kind } }
}

/// The figures of one policy on the test text.
public struct PolicyMetrics: Sendable {
  public let name: String
  public let title: String
  public let kind: PolicyKind
  /// Means over tokens; losses in nats.
  public let robustLoss: Double
  public let crossEntropy: Double
  public let brier: Double
  /// The t intervals of those means; empty for a single cluster.
  public let intervals: [ComparedMetric: Interval]
  /// The exponential of the summed cross-entropy over the number of tokens, words and bytes.
  public let tokenPerplexity: Double
  public let wordPerplexity: Double?
  public let bytePerplexity: Double?
  public let bitsPerByte: Double?
  public let bitsPerByteInterval: Interval?
  public let calibration: Calibration
  /// Of the model's likeliest tokens; equal for all policies of one model.
  public let accuracy: Double
  public let temperature: Distribution
  /// Shares of tokens whose temperature lies within a hundredth of the policy's range from its end.
  public let shareAtMinimum: Double
  public let shareAtMaximum: Double
  /// Of the temperature with the entropy at temperature 1.
  public let entropyCorrelation: Correlation
  public var adaptation: Adaptation? { Adaptation(entropyCorrelation) }
  /// Of the temperature with the exact optimum; nil where that was not computed.
  public let exactCorrelation: Correlation?
  /// The share of the gap in robust loss between the best single temperature and the exact optimum that the
  /// policy closes.
  public let gapClosed: Interval?

  init(_ policy: PolicyScores, in scores: TestScores, exact: PolicyScores?, comparison: Comparison, index: Int) {
    (name, title, kind) = (policy.name, policy.title, policy.kind)
    let means = ComparedMetric.means.map { comparison.mean(of: $0, for: index) }
    (robustLoss, crossEntropy, brier) = (means[0].value, means[1].value, means[2].value)
    intervals = Dictionary(
      uniqueKeysWithValues: zip(ComparedMetric.means, means).compactMap { metric, mean in
        mean.interval.map { (metric, $0) }
      })
    let tokens = Double(policy.crossEntropy.count)
    let total = policy.crossEntropy.reduce(0) { $0 + Double($1) }
    tokenPerplexity = exp(total / tokens)
    let (words, bytes) = (Double(scores.extent.words), Double(scores.extent.bytes))
    wordPerplexity = words > 0 ? exp(total / words) : nil
    bytePerplexity = bytes > 0 ? exp(total / bytes) : nil
    let bits = tokens / bytes / log(2)
    bitsPerByte = bytes > 0 ? crossEntropy * bits : nil
    bitsPerByteInterval = bytes > 0 ? intervals[.crossEntropy]?.scaled(by: bits) : nil
    let isCorrect = policy.other?.isCorrect ?? scores.isCorrect
    calibration = Calibration(confidence: policy.confidence, isCorrect: isCorrect)
    accuracy = Double(isCorrect.count { $0 }) / tokens
    temperature = Distribution(of: policy.temperature)
    let bounds = policy.bounds ?? scores.bounds
    let margin = BoundMargin.width(of: bounds)
    let (low, high) = (bounds.lowerBound + margin, bounds.upperBound - margin)
    shareAtMinimum = Double(policy.temperature.count { Double($0) <= low }) / tokens
    shareAtMaximum = Double(policy.temperature.count { Double($0) >= high }) / tokens
    entropyCorrelation = Correlation(of: policy.temperature, and: policy.other?.entropy ?? scores.entropy)
    exactCorrelation = exact.map { Correlation(of: policy.temperature, and: $0.temperature) }
    gapClosed = comparison.gapClosed(by: index)
  }
}

/// What a policy does to uncertain predictions, as the sign of the correlation of its temperatures with the entropies at
/// temperature 1.
public enum Adaptation: String, Sendable {
  /// They get the lower temperatures, as the robust loss asks for.
  case cools
  /// They get the higher temperatures.
  case heats
  case neither

  /// A weaker rank correlation is no direction.
  private static let least = 0.05

  /// Nil for a single temperature.
  init?(_ correlation: Correlation) {
    guard let rank = correlation.spearman else { return nil }
    self = abs(rank) < Self.least ? .neither : rank < 0 ? .cools : .heats
  }
}
