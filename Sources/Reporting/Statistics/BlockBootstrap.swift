import RandomNumbers

/// A paired block bootstrap: how much the mean of a quantity over a sample would vary with the sample.
///
/// Neighbouring items, such as the tokens of a text, are alike, so single items must not be drawn as if they were
/// independent. The items are cut into contiguous blocks; a resample draws as many blocks as there are, with
/// replacement, and its mean is the sum over the drawn blocks divided by the number of their items (the last block may
/// be short). Every quantity sees the same draws, so differences are paired. Intervals are percentiles of the resampled
/// values. Independent items are blocks of length 1.
///
/// Method: the non-overlapping block bootstrap of Carlstein (1986); percentile intervals of Efron and
/// Tibshirani (1993), chapter 13.
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

  /// The mean of each quantity in each resample.
  ///
  /// - Parameter quantities: lists of one number per item.
  /// - Returns: for each quantity, its mean over the items and the resampled means.
  public func resampledMeans(of quantities: [[Double]]) -> [ResampledMean] {
    let sums = quantities.map(blockSums)
    let lengths = (0..<blockCount).map { Double(min(blockLength, count - $0 * blockLength)) }
    var drawn = [Int](repeating: 0, count: blockCount)
    var generator = SplitMix64(seed: seed)
    var means = quantities.map { _ in [Double](repeating: 0, count: resamples) }
    for resample in 0..<resamples {
      for index in drawn.indices { drawn[index] = generator.index(below: blockCount) }
      let items = sum(of: lengths, at: drawn)
      for quantity in sums.indices { means[quantity][resample] = sum(of: sums[quantity], at: drawn) / items }
    }
    return zip(sums, means).map { ResampledMean(mean: $0.reduce(0, +) / Double(count), resamples: $1) }
  }

  /// An estimate with the percentiles of its resampled values around it.
  public func interval(of estimate: Double, resampled: [Double]) -> Interval {
    let sorted = resampled.sorted()
    let tail = (1 - confidence) / 2
    return Interval(
      estimate: estimate, low: quantile(tail, ofSorted: sorted.count) { sorted[$0] },
      high: quantile(1 - tail, ofSorted: sorted.count) { sorted[$0] })
  }

  private func blockSums(_ values: [Double]) -> [Double] {
    precondition(values.count == count, "\(values.count) numbers for \(count) items")
    return stride(from: 0, to: count, by: blockLength).map { start in
      values[start..<min(start + blockLength, count)].reduce(0, +)
    }
  }

  private func sum(of values: [Double], at indices: [Int]) -> Double {
    values.withUnsafeBufferPointer { values in
      var sum = 0.0
      for index in indices { sum += values[index] }
      return sum
    }
  }
}

/// A mean and the means of its resamples.
public struct ResampledMean: Sendable {
  public let mean: Double
  public let resamples: [Double]
}

/// An estimate and the interval that its bootstrap gives it.
public struct Interval: Equatable, Sendable {
  public let estimate: Double
  public let low: Double
  public let high: Double

  public init(estimate: Double, low: Double, high: Double) {
    self.estimate = estimate
    self.low = low
    self.high = high
  }

  public var excludesZero: Bool { low > 0 || high < 0 }

  /// The same in another unit.
  public func scaled(by factor: Double) -> Interval {
    Interval(estimate: estimate * factor, low: low * factor, high: high * factor)
  }

  /// The interval of the opposite difference.
  public var negated: Interval { Interval(estimate: -estimate, low: -high, high: -low) }
}
