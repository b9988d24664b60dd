/// Mean, spread and quantiles of many numbers of one kind.
public struct Distribution: Equatable, Sendable {
  public let count: Int
  public let mean: Double
  /// With n - 1 in the denominator; zero for a single number.
  public let standardDeviation: Double
  /// Quantiles, linear between order statistics (type 7 of Hyndman and Fan, NumPy's default).
  public let quantiles: [Quantile]

  public struct Quantile: Equatable, Sendable {
    public let fraction: Double
    public let value: Double
  }

  public static let fractions = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]

  /// - Parameter values: at least one number, all finite.
  public init(of values: [Float]) {
    precondition(!values.isEmpty, "no numbers to describe")
    let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
    count = values.count
    self.mean = mean
    standardDeviation = Statistics.standardDeviation(of: values.lazy.map(Double.init)) ?? 0
    let sorted = values.sorted()
    quantiles = Self.fractions.map { fraction in
      Quantile(fraction: fraction, value: quantile(fraction, ofSorted: sorted.count) { Double(sorted[$0]) })
    }
  }
}

/// The standard deviation with n - 1 in the denominator; nil for fewer than two numbers.
public func standardDeviation(of values: some Collection<Double>) -> Double? {
  guard values.count > 1 else { return nil }
  let mean = values.reduce(0, +) / Double(values.count)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(values.count - 1)).squareRoot()
}

/// The quantile of sorted numbers, linear between the two nearest order statistics.
func quantile(_ fraction: Double, ofSorted count: Int, _ value: (Int) -> Double) -> Double {
  let position = fraction * Double(count - 1)
  let below = Int(position.rounded(.down))
  let above = min(below + 1, count - 1)
  return value(below) + (value(above) - value(below)) * (position - Double(below))
}
