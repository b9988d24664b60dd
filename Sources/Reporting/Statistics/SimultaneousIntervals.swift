import Glibc

/// Intervals of several paired differences that hold all at once: with the stated confidence each of them contains its
/// truth.
///
/// All differences are taken on the same resamples of clusters. The critical value is the quantile over resamples of the
/// largest |θ*_k - θ_k| / se_k of all comparisons k, so it grows with the number of comparisons only as far as they are
/// not correlated. Each interval is θ_k ± (critical value) · se_k.
///
/// Source: the studentised max-T method of Romano and Wolf (2005), asymptotically right. Resamples of C clusters spread
/// √((C-1)/C) times as much as estimates do and have no heavier tails for few clusters, so the critical value q of the
/// resamples is replaced by the quantile of Student's t with C - 1 degrees of freedom whose tail is that of the normal
/// distribution beyond q √(C/(C-1)) (the expanded intervals of Hesterberg 2015, section 5.3, applied to the maximum).
public struct SimultaneousIntervals: Equatable, Sendable {
  /// The result for one difference.
  public struct Comparison: Equatable, Sendable {
    public let estimate: Double
    public let standardError: Double
    /// Of this difference alone.
    public let pointwise: Interval
    /// Of this difference alone, for a verdict of equivalence: at 1 - 2α of the confidence 1 - α.
    public let narrow: Interval
    /// Holds together with those of all the others.
    public let simultaneous: Interval

    /// See ``smallestDetectableDifference(standardError:confidence:power:)``.
    public var smallestDetectable: Double { smallestDetectableDifference(standardError: standardError) }

    /// Two policies that agree on every one of n independent items, of right and wrong ones: a difference of 0, with the
    /// intervals that a share of items that differ can have if none of n does, 1 - α^(1/n) (Clopper and Pearson 1934).
    ///
    /// - Parameters:
    ///   - comparisons: how many differences the simultaneous interval is for (Bonferroni's bound).
    ///   - confidence: of the intervals; above 1/2.
    public static func agreement(on items: Int, comparisons: Int, confidence: Double) -> Comparison {
      func interval(_ level: Double) -> Interval {
        Interval(estimate: 0, halfWidth: 1 - pow(level, 1 / Double(items)))
      }
      let alone = interval(1 - confidence)
      return Comparison(
        estimate: 0, standardError: alone.high / Normal.quantile(upperTail: (1 - confidence) / 2), pointwise: alone,
        narrow: interval(2 * (1 - confidence)), simultaneous: interval((1 - confidence) / Double(comparisons)))
    }

    /// Of the opposite difference.
    public var negated: Comparison {
      Comparison(
        estimate: -estimate, standardError: standardError, pointwise: pointwise.negated, narrow: narrow.negated,
        simultaneous: simultaneous.negated)
    }
  }

  /// In the order of the differences.
  public let comparisons: [Comparison]
  /// In standard errors.
  public let criticalValue: Double
  public let bootstrap: ClusterBootstrap

  /// - Parameter differences: at least one; all over the clusters that `bootstrap` draws.
  /// - Returns: nil for a single cluster, from which nothing can be said.
  public init?(_ differences: [ClusteredMean], bootstrap: ClusterBootstrap) {
    precondition(
      !differences.isEmpty && differences.allSatisfy { $0.clusters == bootstrap.clusters },
      "the differences are over other clusters than those that are drawn")
    let errors = differences.compactMap(\.standardError)
    guard errors.count == differences.count else { return nil }
    let distances = Resampled(differences, bootstrap).distances(errors)
    let correction = SmallSampleCorrection(clusters: bootstrap.clusters)
    func critical(_ distances: [Double], _ confidence: Double) -> Double {
      let sorted = distances.sorted()
      return correction.expanded(quantile(confidence, ofSorted: sorted.count) { sorted[$0] })
    }
    var largest = [Double](repeating: 0, count: bootstrap.resamples)
    for own in distances { for index in largest.indices { largest[index] = max(largest[index], own[index]) } }
    let all = critical(largest, bootstrap.confidence)
    comparisons = zip(zip(differences, errors), distances).map { entry, own in
      let (difference, error) = entry
      func interval(_ critical: Double) -> Interval {
        Interval(estimate: difference.estimate, halfWidth: critical * error)
      }
      return Comparison(
        estimate: difference.estimate, standardError: error,
        pointwise: interval(critical(own, bootstrap.confidence)),
        narrow: interval(critical(own, 2 * bootstrap.confidence - 1)), simultaneous: interval(all))
    }
    criticalValue = all
    self.bootstrap = bootstrap
  }
}

/// Differences in each resample.
private struct Resampled {
  private let differences: [ClusteredMean]
  private let sums: [[Double]]
  /// For each difference and part of it, where its sums and its numbers of items are in `sums`.
  private let places: [[(sums: Int, counts: Int)]]

  init(_ differences: [ClusteredMean], _ bootstrap: ClusterBootstrap) {
    // Most parts have the same numbers of items.
    var columns: [[Double]] = []
    var countColumns: [Int] = []
    places = differences.map { difference in
      difference.parts.map { part in
        columns.append(part.sums)
        let sums = columns.count - 1
        if let known = countColumns.first(where: { columns[$0] == part.counts }) { return (sums, known) }
        columns.append(part.counts)
        countColumns.append(columns.count - 1)
        return (sums, columns.count - 1)
      }
    }
    self.differences = differences
    sums = bootstrap.resampledSums(of: columns)
  }

  /// |θ* - θ| / se for each difference and resample; 0 where nothing varies.
  func distances(_ errors: [Double]) -> [[Double]] {
    differences.indices.map { index in
      let (difference, error) = (differences[index], errors[index])
      let (estimate, parts) = (difference.estimate, difference.parts)
      return sums[0].indices.map { resample in
        guard error > 0 else { return 0 }
        var total = 0.0
        for (part, place) in zip(parts, places[index]) {
          let items = sums[place.counts][resample]
          // A resample without any item of a part says nothing of its mean.
          total += items > 0 ? sums[place.sums][resample] / items : part.mean
        }
        return abs(total / Double(parts.count) - estimate) / error
      }
    }
  }
}

/// The correction of a critical value from resamples of few clusters.
private struct SmallSampleCorrection {
  let clusters: Int

  func expanded(_ critical: Double) -> Double {
    let scale = (Double(clusters) / Double(clusters - 1)).squareRoot()
    let tail = Normal.upperTail(critical * scale)
    // So far out the tail has no number, and the distance itself is as good.
    return tail > 1e-300 ? StudentT(Double(clusters - 1)).quantile(upperTail: tail) : critical * scale
  }
}
