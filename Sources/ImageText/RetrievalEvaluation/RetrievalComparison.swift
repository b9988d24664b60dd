import Pairs
import Statistics

/// One arm against a reference on one test split, by one metric.
public struct RetrievalComparison: Sendable {
  /// Both arms' runs of one seed, compared over the clusters of the split.
  public struct OfSeed: Sendable {
    /// Nil where the training of neither is known.
    public let seed: Int?
    /// Simultaneous over all comparisons of this seed, split and metric.
    public let comparison: SimultaneousIntervals.Comparison
    public let verdict: Verdict

    public var smallestDetectable: Double { comparison.smallestDetectable }
  }

  public let split: PairSplit
  public let arm: String
  public let reference: String
  public let metric: RetrievalMetric
  public let seeds: [OfSeed]
  /// Whether the reference was tuned with at least as many settings; otherwise there is no verdict.
  public let isTuningFair: Bool
  /// Of all intervals.
  public let confidence: Double

  /// The differences of the seeds, paired.
  public var overSeeds: SeedDifferences { SeedDifferences(seeds.map(\.comparison.estimate)) }

  /// The t interval of the mean over seeds; nil for fewer than three.
  public var intervalOverSeeds: Interval? { overSeeds.interval(confidence: confidence) }

  /// That of every seed, where they agree.
  public var verdict: Verdict { isTuningFair ? Verdict(agreeing: seeds.map(\.verdict)) : .undecided }
}

/// How runs are compared.
public struct ComparisonSettings: Equatable, Sendable {
  public var resamples: Int
  public var seed: UInt64
  public var confidence: Double
  /// The largest difference that counts as none, a share of 1.
  public var margin: Double

  public init(resamples: Int, seed: UInt64, confidence: Double, margin: Double) {
    (self.resamples, self.seed, self.confidence, self.margin) = (resamples, seed, confidence, margin)
  }
}

extension RetrievalStudy {
  /// Every chosen arm against every reference, by every metric, on every test split: paired over the clusters of the split
  /// within each seed that both have. Empty without references.
  public func comparisons(_ settings: ComparisonSettings) -> [RetrievalComparison] {
    tests.flatMap { set in RetrievalMetric.all.flatMap { comparisons(by: $0, on: set, settings) } }
  }

  private struct Pair {
    let arm: Arm
    let reference: Arm
    var seeds: [RetrievalComparison.OfSeed] = []
  }

  private func comparisons(
    by metric: RetrievalMetric, on set: RetrievalSet, _ settings: ComparisonSettings
  ) -> [RetrievalComparison] {
    var pairs = references.flatMap { reference in
      chosen.filter { $0.name != reference.name }.map { Pair(arm: $0, reference: reference) }
    }
    for seed in seeds {
      let members = pairs.indices.filter { index in
        run(of: pairs[index].arm, seed: seed) != nil && run(of: pairs[index].reference, seed: seed) != nil
      }
      let differences = members.map { index in
        mean(of: pairs[index].arm, seed, metric, set) - mean(of: pairs[index].reference, seed, metric, set)
      }
      let bootstrap = ClusterBootstrap(
        clusters: set.clusters.count, resamples: settings.resamples, seed: settings.seed,
        confidence: settings.confidence)
      guard !differences.isEmpty, let intervals = SimultaneousIntervals(differences, bootstrap: bootstrap) else {
        continue
      }
      for (index, comparison) in zip(members, intervals.comparisons) {
        pairs[index].seeds.append(
          RetrievalComparison.OfSeed(
            seed: seed, comparison: comparison,
            verdict: Verdict(comparison, margin: settings.margin, isMoreBetter: true)))
      }
    }
    return pairs.filter { !$0.seeds.isEmpty }.map { pair in
      RetrievalComparison(
        split: set.split, arm: pair.arm.name, reference: pair.reference.name, metric: metric, seeds: pair.seeds,
        isTuningFair: isTuningFair(pair.arm, pair.reference), confidence: settings.confidence)
    }
  }

  /// The seeds of all runs, in the order in which they were given.
  private var seeds: [Int?] {
    var seeds: [Int?] = []
    for run in runs where !seeds.contains(run.name.seed) { seeds.append(run.name.seed) }
    return seeds
  }

  private func mean(
    of arm: Arm, _ seed: Int?, _ metric: RetrievalMetric, _ set: RetrievalSet
  ) -> ClusteredMean {
    guard let result = run(of: arm, seed: seed)?.results[set.split] else {
      preconditionFailure("\(arm.name) was not measured on \(set.split)")
    }
    return metric.mean(result.metrics, in: set)
  }

  private func isTuningFair(_ arm: Arm, _ reference: Arm) -> Bool {
    guard let own = tried.first(where: { $0.family == arm.family }),
      let other = tried.first(where: { $0.family == reference.family })
    else { return true }
    return own.lessTuned(among: [other]).isEmpty
  }
}
