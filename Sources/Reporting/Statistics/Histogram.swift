/// Counts of numbers in equal parts of a range.
public struct Histogram: Equatable, Sendable {
  public let range: ClosedRange<Double>
  public let counts: [Int]
  public let total: Int

  /// Numbers beyond the range count in its first or last part.
  public init(of values: [Float], in range: ClosedRange<Double>, parts: Int) {
    var counts = [Int](repeating: 0, count: parts)
    for value in values { counts[part(Double(value), of: range, parts: parts)] += 1 }
    (self.range, self.counts, total) = (range, counts, values.count)
  }

  public func bounds(_ part: Int) -> ClosedRange<Double> {
    let width = (range.upperBound - range.lowerBound) / Double(counts.count)
    return range.lowerBound + Double(part) * width...range.lowerBound + Double(part + 1) * width
  }

  public func share(_ part: Int) -> Double { Double(counts[part]) / Double(total) }
}

/// Counts of pairs of numbers in the cells of a grid.
public struct DensityGrid: Equatable, Sendable {
  /// For each row, from below, its cells from the left.
  public let counts: [[Int]]

  public init(
    of x: [Float], and y: [Float], in horizontal: ClosedRange<Double>, _ vertical: ClosedRange<Double>, columns: Int,
    rows: Int
  ) {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: columns), count: rows)
    for (x, y) in zip(x, y) {
      counts[part(Double(y), of: vertical, parts: rows)][part(Double(x), of: horizontal, parts: columns)] += 1
    }
    self.counts = counts
  }

  /// The least count of each shade: powers of a whole number, so that the fullest cell has the last shade or the one
  /// before.
  public func shades(_ wanted: Int) -> [Int] {
    let largest = counts.joined().max() ?? 0
    var base = 2
    while (0..<wanted).reduce(1, { power, _ in power * base }) <= largest { base += 1 }
    var least = [1]
    while least.count < wanted, let last = least.last, last * base <= largest { least.append(last * base) }
    return least
  }

  /// The shade of each cell: how many shades begin at or below its count.
  public func levels(_ shades: [Int]) -> [[Int]] { counts.map { $0.map { count in shades.count { $0 <= count } } } }
}

/// How the second of two quantities moves along the first: its quantiles within groups of items that are alike in the
/// first.
public struct Trend: Equatable, Sendable {
  public struct Group: Equatable, Sendable {
    public let range: ClosedRange<Double>
    public let count: Int
    /// The median of the first quantity, and the 5 %, 50 % and 95 % quantiles of the second.
    public let middle: Double
    public let low: Double
    public let median: Double
    public let high: Double
  }

  public let groups: [Group]

  /// Groups of nearly equal size, in ascending order of `x`.
  public init(of y: [Float], along x: [Float], groups wanted: Int = 10) {
    // The index decides between equal numbers, so that the order is one whatever sorts.
    let order = x.indices.sorted { (x[$0], $0) < (x[$1], $1) }
    let count = min(wanted, order.count)
    groups = (0..<count).map { group in
      let members = order[group * order.count / count..<(group + 1) * order.count / count]
      let xs = members.map { Double(x[$0]) }
      let ys = members.map { Double(y[$0]) }.sorted()
      func value(_ fraction: Double) -> Double { quantile(fraction, ofSorted: ys.count) { ys[$0] } }
      return Group(
        range: xs[0]...xs[xs.count - 1], count: xs.count, middle: quantile(0.5, ofSorted: xs.count) { xs[$0] },
        low: value(0.05), median: value(0.5), high: value(0.95))
    }
  }
}

/// The part of a range that holds a value, or is nearest to it.
private func part(_ value: Double, of range: ClosedRange<Double>, parts: Int) -> Int {
  let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
  return Int(min(max(share * Double(parts), 0), Double(parts - 1)))
}
