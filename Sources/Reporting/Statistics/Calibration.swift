/// How far predicted probabilities agree with frequencies: the probability of the likeliest class against how often that
/// class was the right one.
public struct Calibration: Equatable, Sendable {
  /// Predictions whose likeliest class had a probability in one range.
  public struct Bin: Equatable, Sendable {
    public let range: ClosedRange<Double>
    public let count: Int
    /// The mean probability of the likeliest class; nil in an empty bin.
    public let confidence: Double?
    /// How often the likeliest class was the right one; nil in an empty bin.
    public let accuracy: Double?
  }

  /// Of equal width, from 0 to 1; the last one holds probability 1 too.
  public let bins: [Bin]
  /// The mean over predictions of the distance between a bin's confidence and its accuracy (Naeini, Cooper and Hauskrecht,
  /// 2015; Guo et al., 2017).
  public let expectedError: Double

  /// The number that Guo et al. (2017) used, and most others since.
  public static let binCount = 15

  /// - Parameters:
  ///   - confidence: the probability of the likeliest class of each prediction, 0 to 1; at least one.
  ///   - isCorrect: whether that class was the right one, in the same order.
  public init(confidence: [Float], isCorrect: [Bool]) {
    var counts = [Int](repeating: 0, count: Self.binCount)
    var confidences = [Double](repeating: 0, count: Self.binCount)
    var hits = [Int](repeating: 0, count: Self.binCount)
    for (confidence, isCorrect) in zip(confidence, isCorrect) {
      let bin = Self.bin(of: confidence)
      counts[bin] += 1
      confidences[bin] += Double(confidence)
      hits[bin] += isCorrect ? 1 : 0
    }
    bins = counts.indices.map { bin in
      let count = Double(counts[bin])
      return Bin(
        range: Double(bin) / Double(Self.binCount)...Double(bin + 1) / Double(Self.binCount), count: counts[bin],
        confidence: counts[bin] > 0 ? confidences[bin] / count : nil,
        accuracy: counts[bin] > 0 ? Double(hits[bin]) / count : nil)
    }
    let distances = counts.indices.map { abs(confidences[$0] - Double(hits[$0])) }
    expectedError = distances.reduce(0, +) / Double(isCorrect.count)
  }

  private static func bin(of confidence: Float) -> Int {
    min(max(Int(Double(confidence) * Double(binCount)), 0), binCount - 1)
  }

  /// Each prediction's part in the expected error: numbers whose mean is the error.
  ///
  /// The error is Σ_b |Σ_(i in b) (c_i - h_i)| / n with confidences c and hits h. With the signs of the bins held fixed it is
  /// the mean of ±(c_i - h_i), which gives the error its first-order standard error, as long as no bin's sum is near 0.
  ///
  /// - Parameters: those that this was made of.
  public func contributions(confidence: [Float], isCorrect: [Bool]) -> [Double] {
    let signs = bins.map { bin in (bin.confidence ?? 0) >= (bin.accuracy ?? 0) ? 1.0 : -1.0 }
    return zip(confidence, isCorrect).map { signs[Self.bin(of: $0)] * (Double($0) - ($1 ? 1 : 0)) }
  }
}
