/// A difference over training runs that are paired by seed: equal initialisation and order of data on both sides.
///
/// Seeds are a level of their own. A single run's interval over test items says how much the items matter; this one says
/// how much the training run does, and neither is pooled with the other.
public struct SeedDifferences: Equatable, Sendable {
  /// One difference per seed, in the order of the seeds.
  public let differences: [Double]

  /// With fewer, a t interval is wider than anything that is worth to be measured.
  public static let fewestSeeds = 3

  public init(_ differences: [Double]) { self.differences = differences }

  /// The mean; nil without seeds.
  public var estimate: Double? {
    differences.isEmpty ? nil : differences.reduce(0, +) / Double(differences.count)
  }

  /// Of the mean; nil for fewer than two seeds.
  public var standardError: Double? {
    standardDeviation(of: differences).map { $0 / Double(differences.count).squareRoot() }
  }

  /// The paired t interval with R - 1 degrees of freedom for R seeds; nil for fewer than three.
  public func interval(confidence: Double = 0.95) -> Interval? {
    guard differences.count >= Self.fewestSeeds, let estimate, let standardError else { return nil }
    let quantile = StudentT(Double(differences.count - 1)).quantile(upperTail: (1 - confidence) / 2)
    return Interval(estimate: estimate, halfWidth: quantile * standardError)
  }
}
