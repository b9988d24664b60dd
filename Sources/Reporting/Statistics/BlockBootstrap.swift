/// A paired block bootstrap: how much the mean of a quantity over a sample would vary with the sample.
///
/// Neighbouring items, such as the tokens of a text, are alike, so single items must not be drawn as if they were
/// independent. The items are cut into contiguous blocks, which are the clusters of a ``ClusterBootstrap``; the mean of a
/// resample is the sum over the drawn blocks divided by the number of their items (the last block may be short).
/// Intervals are percentiles of the resampled values. Independent items are blocks of length 1.
///
/// Method: the non-overlapping block bootstrap of Carlstein (1986).
public struct BlockBootstrap: Equatable, Sendable {
  /// The number of items, in their own order.
  public let count: Int
  public let blockLength: Int
  public let resamples: Int
  public let seed: UInt64
  /// The share of resamples inside an interval.
  public let confidence: Double

  public init(count: Int, blockLength: Int, resamples: Int = 10_000, seed: UInt64 = 0, confidence: Double = 0.95) {
    precondition(count > 0 && blockLength > 0 && resamples > 0, "nothing to draw")
    precondition(confidence > 0 && confidence < 1, "confidence \(confidence) is not between 0 and 1")
    self.count = count
    self.blockLength = min(blockLength, count)
    self.resamples = resamples
    self.seed = seed
    self.confidence = confidence
  }

  public var blockCount: Int { (count + blockLength - 1) / blockLength }

  /// The default block length: the length over which items depend on each other, but short enough for a hundred
  /// blocks and long enough for at most two thousand.
  ///
  /// Percentiles from a handful of blocks mean nothing, and more than two thousand only cost time.
  public static func automaticBlockLength(count: Int, dependence: Int) -> Int {
    let longest = max(1, count / 100)
    let shortest = (count + 1999) / 2000
    return max(shortest, min(dependence, longest))
  }

  /// The draws of blocks.
  public var draws: ClusterBootstrap {
    ClusterBootstrap(clusters: blockCount, resamples: resamples, seed: seed, confidence: confidence)
  }

  /// The blocks, for statistics of clusters.
  public var clusters: Clusters { .blocks(of: blockLength, items: count) }

  /// The mean of each quantity in each resample.
  ///
  /// - Parameter quantities: lists of one number per item.
  /// - Returns: for each quantity, its mean over the items and the resampled means.
  public func resampledMeans(of quantities: [[Double]]) -> [ResampledMean] {
    let sums = quantities.map(blockSums)
    let lengths = (0..<blockCount).map { Double(min(blockLength, count - $0 * blockLength)) }
    let resampled = draws.resampledSums(of: [lengths] + sums)
    return zip(sums, resampled.dropFirst()).map { sums, drawn in
      ResampledMean(mean: sums.reduce(0, +) / Double(count), resamples: zip(drawn, resampled[0]).map(/))
    }
  }

  /// An estimate with the percentiles of its resampled values around it.
  public func interval(of estimate: Double, resampled: [Double]) -> Interval {
    Interval(estimate: estimate, resampled: resampled, confidence: confidence)
  }

  private func blockSums(_ values: [Double]) -> [Double] {
    precondition(values.count == count, "\(values.count) numbers for \(count) items")
    return stride(from: 0, to: count, by: blockLength).map { start in
      values[start..<min(start + blockLength, count)].reduce(0, +)
    }
  }
}

/// A mean and the means of its resamples.
public struct ResampledMean: Sendable {
  public let mean: Double
  public let resamples: [Double]
}
