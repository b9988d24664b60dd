/// The mean of a quantity over items in clusters, or the average of several such means over the same clusters.
///
/// Mean recall is of the second kind: the average of a mean over pictures and of one over captions, which are as many as
/// they are but belong to the same concepts. For a paired comparison the quantity is the difference of two policies on
/// each item.
///
/// With s_c the sum and n_c the number of items in cluster c, a mean is m = Σ s_c / Σ n_c. Its standard error is
///
///     √( C/(C-1) · Σ_c (s_c - m n_c)² ) / Σ n_c
///
/// which the average of several means has too, with the average of (s_c - m n_c) / Σ n_c for the residual of a cluster.
/// Source: Miller, "Adding Error Bars to Evals" (arXiv 2411.00640), appendix A; the same as the cluster-robust variance of
/// a regression on a constant (Liang and Zeger 1986) with the factor C/(C-1).
public struct ClusteredMean: Equatable, Sendable {
  /// One quantity, as sums and numbers of items by cluster.
  public struct Part: Equatable, Sendable {
    public let sums: [Double]
    public let counts: [Double]
    public let mean: Double

    init(sums: [Double], counts: [Double]) {
      let items = counts.reduce(0, +)
      precondition(sums.count == counts.count && items > 0, "a mean needs items")
      (self.sums, self.counts) = (sums, counts)
      mean = sums.reduce(0, +) / items
    }
  }

  public let parts: [Part]
  /// The number of clusters, some of which may have no item of a part.
  public let clusters: Int

  private init(parts: [Part]) {
    self.parts = parts
    clusters = parts[0].counts.count
  }

  /// - Parameter values: one number per item; at least one.
  public init(_ values: [Double], in clusters: Clusters) {
    self.init(parts: [Part(sums: clusters.sums(values), counts: clusters.sizes.map(Double.init))])
  }

  /// The average of means over the same clusters.
  public init(averaging means: [ClusteredMean]) {
    precondition(!means.isEmpty && means.allSatisfy { $0.clusters == means[0].clusters }, "other clusters")
    self.init(parts: means.flatMap(\.parts))
  }

  /// The mean of a quantity over some of the items of `clusters`, whose clusters all count.
  ///
  /// - Parameters:
  ///   - values: one number per item that has one.
  ///   - items: the positions of those items.
  public init(_ values: [Double], of items: [Int], in clusters: Clusters) {
    precondition(values.count == items.count, "\(values.count) numbers for \(items.count) items")
    var sums = [Double](repeating: 0, count: clusters.count)
    var counts = sums
    for (item, value) in zip(items, values) {
      sums[clusters.ofItem[item]] += value
      counts[clusters.ofItem[item]] += 1
    }
    self.init(parts: [Part(sums: sums, counts: counts)])
  }

  /// The paired difference of two quantities over the same items.
  public static func - (a: ClusteredMean, b: ClusteredMean) -> ClusteredMean {
    precondition(a.parts.map(\.counts) == b.parts.map(\.counts), "only quantities over the same items can be paired")
    return ClusteredMean(
      parts: zip(a.parts, b.parts).map { Part(sums: zip($0.sums, $1.sums).map(-), counts: $0.counts) })
  }

  public var estimate: Double { average(parts.map(\.mean)) }

  /// Nil for a single cluster.
  public var standardError: Double? {
    guard clusters > 1 else { return nil }
    var squares = 0.0
    let items = parts.map { $0.counts.reduce(0, +) }
    for cluster in 0..<clusters {
      var residual = 0.0
      for (part, items) in zip(parts, items) {
        residual += (part.sums[cluster] - part.mean * part.counts[cluster]) / items
      }
      residual /= Double(parts.count)
      squares += residual * residual
    }
    return (squares * Double(clusters) / Double(clusters - 1)).squareRoot()
  }

  public var degreesOfFreedom: Double { Double(clusters - 1) }

  /// The t interval with C - 1 degrees of freedom; nil for a single cluster.
  public func interval(confidence: Double = 0.95) -> Interval? {
    standardError.map { error in
      let quantile = StudentT(degreesOfFreedom).quantile(upperTail: (1 - confidence) / 2)
      return Interval(estimate: estimate, halfWidth: quantile * error)
    }
  }

  /// The two-sided probability of an estimate as far from zero if the truth were zero; nil for a single cluster.
  public var pValue: Double? {
    standardError.map { error in
      error == 0 ? (estimate == 0 ? 1 : 0) : 2 * StudentT(degreesOfFreedom).upperTail(abs(estimate) / error)
    }
  }

  /// The average of the parts' means for other sums and counts of the parts.
  func average(_ means: [Double]) -> Double { means.reduce(0, +) / Double(means.count) }
}
