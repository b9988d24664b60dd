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
  public let bootstrap: BlockBootstrap
  /// Every pair of policies, the later one minus the earlier one.
  public let differences: [Difference]

  public init(_ scores: TestScores, bootstrap: BlockBootstrap) {
    extent = scores.extent
    rho = scores.rho
    targetEntropy = scores.targetEntropy
    vocabulary = scores.vocabulary
    bounds = scores.bounds
    accuracy = Double(scores.isCorrect.count { $0 }) / Double(scores.isCorrect.count)
    entropy = Distribution(of: scores.entropy)
    let comparison = Comparison(scores, bootstrap: bootstrap)
    let exact = scores.policies.first { $0.kind == .exact }
    policies = scores.policies.enumerated().map { index, policy in
      PolicyMetrics(policy, in: scores, exact: exact, comparison: comparison, index: index)
    }
    self.bootstrap = bootstrap
    differences = comparison.differences
  }

  /// The difference between two policies, whichever was listed first, as `policy` minus `reference`.
  public func difference(_ policy: String, minus reference: String, in metric: ComparedMetric) -> Interval? {
    for difference in differences where difference.metric == metric {
      if (difference.policy, difference.reference) == (policy, reference) { return difference.interval }
      if (difference.policy, difference.reference) == (reference, policy) { return difference.interval.negated }
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
  /// Means over tokens, with their intervals; losses in nats.
  public let intervals: [ComparedMetric: Interval]
  public var robustLoss: Double { intervals[.robustLoss]!.estimate }
  public var crossEntropy: Double { intervals[.crossEntropy]!.estimate }
  public var brier: Double { intervals[.brier]!.estimate }
  /// The exponential of the summed cross-entropy over the number of tokens, words and bytes.
  public let tokenPerplexity: Double
  public let wordPerplexity: Double?
  public let bytePerplexity: Double?
  public let bitsPerByte: Interval?
  public let calibration: Calibration
  /// Of the model's likeliest tokens; equal for all policies of one model.
  public let accuracy: Double
  public let temperature: Distribution
  /// Shares of tokens whose temperature lies within a hundredth of the policy's range from its end.
  public let shareAtMinimum: Double
  public let shareAtMaximum: Double
  /// Of the temperature with the entropy at temperature 1.
  public let entropyCorrelation: Correlation
  /// Of the temperature with the exact optimum; nil where that was not computed.
  public let exactCorrelation: Correlation?
  /// The share of the gap in robust loss between the best single temperature and the exact optimum that the
  /// policy closes.
  public let gapClosed: Interval?

  init(_ policy: PolicyScores, in scores: TestScores, exact: PolicyScores?, comparison: Comparison, index: Int) {
    (name, title, kind) = (policy.name, policy.title, policy.kind)
    let metrics = ComparedMetric.allCases.map { ($0, comparison.mean(of: $0, for: index)) }
    intervals = Dictionary(uniqueKeysWithValues: metrics)
    let tokens = Double(policy.crossEntropy.count)
    let total = policy.crossEntropy.reduce(0) { $0 + Double($1) }
    tokenPerplexity = exp(total / tokens)
    let (words, bytes) = (Double(scores.extent.words), Double(scores.extent.bytes))
    wordPerplexity = words > 0 ? exp(total / words) : nil
    bytePerplexity = bytes > 0 ? exp(total / bytes) : nil
    bitsPerByte = bytes > 0 ? intervals[.crossEntropy]!.scaled(by: tokens / bytes / log(2)) : nil
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
