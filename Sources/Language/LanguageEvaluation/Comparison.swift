import Statistics

/// The metrics by which two policies are compared: means over tokens, of which less is better. Losses are in nats.
public enum ComparedMetric: String, Sendable, CaseIterable {
  case robustLoss = "robust_loss"
  case crossEntropy = "cross_entropy"
  case brier
}

/// How much more of a metric one policy has than another, on the same tokens.
public struct Difference: Equatable, Sendable {
  public let policy: String
  public let reference: String
  public let metric: ComparedMetric
  public let interval: Interval
}

/// The paired comparison of all policies, from one set of bootstrap draws.
struct Comparison {
  private let policies: [PolicyScores]
  private let bootstrap: BlockBootstrap
  private let means: [ComparedMetric: [ResampledMean]]

  init(_ scores: TestScores, bootstrap: BlockBootstrap) {
    policies = scores.policies
    self.bootstrap = bootstrap
    let losses = policies.map { scores.robustLoss(of: $0) }
    let crossEntropies = policies.map { $0.crossEntropy.map(Double.init) }
    let briers = policies.map { $0.brier.map(Double.init) }
    let resampled = bootstrap.resampledMeans(of: losses + crossEntropies + briers)
    let count = policies.count
    means = [
      .robustLoss: Array(resampled[..<count]), .crossEntropy: Array(resampled[count..<2 * count]),
      .brier: Array(resampled[(2 * count)...]),
    ]
  }

  /// The mean of a metric for one policy, with its interval.
  func mean(of metric: ComparedMetric, for index: Int) -> Interval {
    let mean = means[metric]![index]
    return bootstrap.interval(of: mean.mean, resampled: mean.resamples)
  }

  var differences: [Difference] {
    ComparedMetric.allCases.flatMap { metric in
      policies.indices.flatMap { reference in
        (reference + 1..<policies.count).map { policy in
          Difference(
            policy: policies[policy].name, reference: policies[reference].name, metric: metric,
            interval: difference(means[metric]![policy], means[metric]![reference]))
        }
      }
    }
  }

  private func difference(_ a: ResampledMean, _ b: ResampledMean) -> Interval {
    bootstrap.interval(of: a.mean - b.mean, resampled: zip(a.resamples, b.resamples).map(-))
  }

  /// `(loss(best single) - loss(policy)) / (loss(best single) - loss(exact))` in robust loss; nil for the two
  /// ends themselves, and where there is no gap to close.
  func gapClosed(by index: Int) -> Interval? {
    guard let start = policies.firstIndex(where: { $0.kind == .bestRobustLoss }),
      let end = policies.firstIndex(where: { $0.kind == .exact }), index != start, index != end
    else { return nil }
    let losses = means[.robustLoss]!
    let (from, to, own) = (losses[start], losses[end], losses[index])
    guard from.mean > to.mean, zip(from.resamples, to.resamples).allSatisfy({ $0 > $1 }) else { return nil }
    let shares = from.resamples.indices.map { resample in
      (from.resamples[resample] - own.resamples[resample]) / (from.resamples[resample] - to.resamples[resample])
    }
    return bootstrap.interval(of: (from.mean - own.mean) / (from.mean - to.mean), resampled: shares)
  }
}
