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
    public let interval: Interval
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
  /// Every policy but the first against the first.
  public let differences: [Difference]
  /// Items are drawn, each by itself.
  public let bootstrap: BlockBootstrap

  /// - Parameter confidence: the share inside an interval.
  public init(_ scores: TaskScores, resamples: Int, seed: UInt64, confidence: Double) {
    let all = scores.items.flatMap(\.requests)
    let tokens = all.reduce(0) { $0 + $1.tokens }
    func mean(_ value: (RequestScore) -> Double) -> Double {
      tokens == 0 ? 0 : all.reduce(0) { $0 + Double($1.tokens) * value($1) } / Double(tokens)
    }
    let bootstrap = BlockBootstrap(
      count: scores.items.count, blockLength: 1, resamples: resamples, seed: seed, confidence: confidence)
    let statistics = scores.policies.indices.map { policy in
      TaskMetric.metrics(for: scores.items[0]).map { TaskStatistic($0, of: scores.items, policy: policy) }
    }
    let resampled = ResampledStatistics(statistics, bootstrap)

    description = scores.description
    items = scores.items.count
    requests = all.count
    self.tokens = tokens
    (mergedJoins, truncated) = (scores.mergedJoins, scores.truncated)
    meanEntropy = mean(\.entropy)
    policies = scores.policies.enumerated().map { policy, name in
      Policy(
        name: name,
        values: statistics[policy].enumerated().map { index, statistic in
          Value(
            metric: statistic.metric, value: statistic.figure,
            standardError: resampled.standardError(of: statistic, policy, index))
        }, meanTemperature: mean { $0.temperatures[policy] })
    }
    differences = scores.policies.indices.dropFirst().flatMap { policy in
      statistics[policy].enumerated().map { index, statistic in
        Difference(
          policy: scores.policies[policy], reference: scores.policies[0], metric: statistic.metric,
          interval: bootstrap.interval(
            of: statistic.figure - statistics[0][index].figure,
            resampled: zip(resampled[policy, index], resampled[0, index]).map(-)))
      }
    }
    self.bootstrap = bootstrap
  }
}

/// The figures of every resample, from the same draws for all.
private struct ResampledStatistics {
  private let figures: [[[Double]]]

  subscript(policy: Int, statistic: Int) -> [Double] { figures[policy][statistic] }

  /// - Parameter statistics: by policy.
  init(_ statistics: [[TaskStatistic]], _ bootstrap: BlockBootstrap) {
    // Many are equal: what no temperature changes, and the denominators.
    var quantities: [[Double]] = []
    func index(of quantity: [Double]) -> Int {
      if let known = quantities.firstIndex(of: quantity) { return known }
      quantities.append(quantity)
      return quantities.count - 1
    }
    let places = statistics.map { $0.map { (index(of: $0.numerators), index(of: $0.denominators)) } }
    let means = bootstrap.resampledMeans(of: quantities)
    figures = zip(statistics, places).map { statistics, places in
      zip(statistics, places).map { statistic, place in
        zip(means[place.0].resamples, means[place.1].resamples).map { statistic.figure($0, $1) }
      }
    }
  }

  func standardError(of statistic: TaskStatistic, _ policy: Int, _ index: Int) -> Double? {
    switch statistic.errorKind {
    case .mean: return statistic.standardErrorOfMean
    case .bootstrap:
      guard statistic.numerators.count > 1 else { return nil }
      return standardDeviation(of: figures[policy][index])
    case .none: return nil
    }
  }
}
