/// How two quantities move together over the same items; each is nil where one of them does not vary.
public struct Correlation: Equatable, Sendable {
  /// Pearson's coefficient: how near the points are to a straight line.
  public let pearson: Double?
  /// Spearman's coefficient: Pearson's of the ranks, where equal values share the mean of their ranks.
  public let spearman: Double?

  public init(of a: [Float], and b: [Float]) {
    precondition(a.count == b.count, "\(a.count) and \(b.count) numbers cannot be paired")
    pearson = pearsonCoefficient(a.map(Double.init), b.map(Double.init))
    spearman = pearsonCoefficient(averageRanks(a), averageRanks(b))
  }
}

private func pearsonCoefficient(_ a: [Double], _ b: [Double]) -> Double? {
  // A constant list has no correlation; its variance, a sum of rounding errors, need not be exactly zero.
  guard let first = (a.first, b.first) as? (Double, Double), a.contains(where: { $0 != first.0 }),
    b.contains(where: { $0 != first.1 })
  else { return nil }
  let meanA = a.reduce(0, +) / Double(a.count)
  let meanB = b.reduce(0, +) / Double(b.count)
  var (products, squaresA, squaresB) = (0.0, 0.0, 0.0)
  for (x, y) in zip(a, b) {
    products += (x - meanA) * (y - meanB)
    squaresA += (x - meanA) * (x - meanA)
    squaresB += (y - meanB) * (y - meanB)
  }
  return min(max(products / (squaresA.squareRoot() * squaresB.squareRoot()), -1), 1)
}

/// The rank of each value, from 1; values that are equal get the mean of the ranks they take up together.
public func averageRanks(_ values: [Float]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
    let rank = Double(start + 1 + end) / 2
    for index in order[start..<end] { ranks[index] = rank }
    start = end
  }
  return ranks
}
