import RandomNumbers

/// A paired bootstrap over clusters of items: a resample draws as many clusters as there are, with replacement.
///
/// Items of one cluster, such as the tokens of a block or the pictures of one concept, are alike, so they are drawn
/// together. All quantities see the same draws, so their differences are paired.
///
/// Method: Davison and Hinkley (1997), section 3.8, first strategy (whole clusters, no resampling within them).
public struct ClusterBootstrap: Equatable, Sendable {
  /// The number of clusters.
  public let clusters: Int
  public let resamples: Int
  public let seed: UInt64
  /// The share of resamples inside an interval.
  public let confidence: Double

  public init(clusters: Int, resamples: Int = 10_000, seed: UInt64 = 0, confidence: Double = 0.95) {
    precondition(clusters > 0 && resamples > 0, "nothing to draw")
    precondition(confidence > 0 && confidence < 1, "confidence \(confidence) is not between 0 and 1")
    self.clusters = clusters
    self.resamples = resamples
    self.seed = seed
    self.confidence = confidence
  }

  /// The sum of each column over the drawn clusters.
  ///
  /// - Parameter columns: lists of one number per cluster.
  /// - Returns: for each column, one sum per resample.
  public func resampledSums(of columns: [[Double]]) -> [[Double]] {
    for column in columns { precondition(column.count == clusters, "\(column.count) numbers for \(clusters) clusters") }
    var drawn = [Int](repeating: 0, count: clusters)
    var generator = SplitMix64(seed: seed)
    var sums = columns.map { _ in [Double](repeating: 0, count: resamples) }
    for resample in 0..<resamples {
      for index in drawn.indices { drawn[index] = generator.index(below: clusters) }
      for column in columns.indices { sums[column][resample] = sum(of: columns[column], at: drawn) }
    }
    return sums
  }

  private func sum(of values: [Double], at indices: [Int]) -> Double {
    values.withUnsafeBufferPointer { values in
      indices.withUnsafeBufferPointer { indices in
        var sum = 0.0
        for index in indices { sum += values[index] }
        return sum
      }
    }
  }
}
