import Statistics

/// Everything that a report states about a task, computed from the scores of its items.
public struct TaskMetrics: Sendable {
  public struct Value: Equatable, Sendable {
    public let metric: TaskMetric
    public let value: Double
    /// Nil where lm-evaluation-harness gives none, and for a single item.
    public let standardError: Double?
  }

  /// The results of one policy on the task.
  public struct Policy: Equatable, Sendable {
    public let name: String
    public let values: [Value]
    /// The mean over the tokens of all continuations.
    public let meanTemperature: Double

    public subscript(metric: TaskMetric) -> Value? { values.first { $0.metric == metric } }
  }

  /// How much more of a metric a policy has than the first one, on the same items.
  public struct Difference: Equatable, Sendable {
    public let policy: String
    public let reference: String
    public let metric: TaskMetric
    /// Simultaneous over all policies by this metric.
    public let comparison: SimultaneousIntervals.Comparison
    public let verdict: Verdict
    /// Of items that are right with one policy only: McNemar's exact test where items are independent, otherwise the
    /// clustered t test of the paired difference. Nil for metrics of another kind.
    public let pValue: Double?
  }

  public let description: TaskScores.Description
  public let items: Int
  public let requests: Int
  public let tokens: Int
  public let mergedJoins: Int
  public let truncated: Int
  /// The mean over the tokens of all continuations of the entropy at temperature 1, in nats.
  public let meanEntropy: Double
  public let policies: [Policy]
  /// Every policy but the first against the first, by every metric that a temperature can change; empty for a single item.
  public let differences: [Difference]
  /// The metrics that are the same for every policy by construction.
  public let unchanged: [TaskMetric]
  /// Items that belong together are drawn together.
  public let clusters: Clusters
  public let rules: ComparisonRules

  public init(_ scores: TaskScores, rules: ComparisonRules) {
    let all = scores.items.flatMap(\.requests)
    let tokens = all.reduce(0) { $0 + $1.tokens }
    func mean(_ value: (RequestScore) -> Double) -> Double {
      tokens == 0 ? 0 : all.reduce(0) { $0 + Double($1.tokens) * value($1) } / Double(tokens)
    }
    let statistics = scores.policies.indices.map { policy in
      TaskMetric.metrics(for: scores.items[0]).map { TaskStatistic($0, of: scores.items, policy: policy) }
    }
    let comparison = TaskComparison(
      policies: scores.policies, statistics: statistics, clusters: scores.clusters, rules: rules,
      isSame: scores.policies.indices.map(scores.isSame))

    description = scores.description
    items = scores.items.count
    requests = all.count
    self.tokens = tokens
    (mergedJoins, truncated) = (scores.mergedJoins, scores.truncated)
    meanEntropy = mean(\.entropy)
    policies = scores.policies.enumerated().map { policy, name in
      Policy(
        name: name,
        values: statistics[policy].map { statistic in
          Value(
            metric: statistic.metric, value: statistic.figure,
            standardError: statistic.hasStandardError
              ? ClusteredMean(statistic.linearised, in: .single(items: scores.items.count)).standardError : nil)
        }, meanTemperature: mean { $0.temperatures[policy] })
    }
    let answer = scores.items[0].answer
    let metrics = statistics[0].map(\.metric)
    unchanged = metrics.filter { !$0.dependsOnTemperature(answer) }
    differences = metrics.indices.filter { metrics[$0].dependsOnTemperature(answer) }.flatMap(comparison.differences)
    (clusters, self.rules) = (scores.clusters, rules)
  }
}

/// The policies of a task against the first one.
private struct TaskComparison {
  let policies: [String]
  /// By policy.
  let statistics: [[TaskStatistic]]
  let clusters: Clusters
  let rules: ComparisonRules
  /// By policy: whether its predictions are those of the first one.
  let isSame: [Bool]

  /// By the metric of an index.
  func differences(_ index: Int) -> [TaskMetrics.Difference] {
    let means = statistics.map { ClusteredMean($0[index].linearised, in: clusters) }
    let reference = statistics[0][index]
    let others = policies.indices.dropFirst()
    let margin = reference.margin(rules.margins)
    guard !others.isEmpty,
      let intervals = SimultaneousIntervals(
        others.map { means[$0] - means[0] }, bootstrap: rules.bootstrap(of: clusters))
    else { return [] }
    return zip(others, intervals.comparisons).map { policy, found in
      // That no item differs does not show that none ever will, unless the predictions are the same.
      let isAgreed = reference.metric.isOfRightOrWrong && statistics[policy][index].numerators == reference.numerators
      let comparison =
        isAgreed && !isSame[policy]
        ? SimultaneousIntervals.Comparison.agreement(
          on: clusters.count, comparisons: others.count, confidence: rules.confidence) : found
      return TaskMetrics.Difference(
        policy: policies[policy], reference: policies[0], metric: reference.metric, comparison: comparison,
        verdict: Verdict(comparison, margin: margin, isMoreBetter: reference.metric.isGain),
        pValue: reference.metric.isOfRightOrWrong
          ? pValue(statistics[policy][index], reference, means[policy] - means[0]) : nil)
    }
  }

  private func pValue(_ own: TaskStatistic, _ reference: TaskStatistic, _ difference: ClusteredMean) -> Double? {
    guard clusters.count == own.numerators.count else { return difference.pValue }
    return McNemar(policy: own.numerators.map { $0 > 0 }, reference: reference.numerators.map { $0 > 0 }).pValue
  }
}
