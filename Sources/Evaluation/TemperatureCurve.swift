import Glibc

/// A smooth function of the temperature, known by value and slope at some temperatures: between them, the cubic in
/// ln τ that has both (Hermite's).
///
/// A mean over a data set, such as the mean entropy, takes one pass for all nodes; after that any temperature can be
/// asked for. With eight nodes per octave the error of an entropy is below a thousandth of a nat.
public struct TemperatureCurve: Sendable {
  /// In ln τ, ascending.
  private let nodes: [Double]
  private let values: [Double]
  private let slopes: [Double]

  /// - Parameters:
  ///   - temperatures: at least two, ascending.
  ///   - values: the function there.
  ///   - slopes: its derivative by ln τ there.
  public init(temperatures: [Double], values: [Double], slopes: [Double]) {
    precondition(temperatures.count >= 2 && temperatures.count == values.count && values.count == slopes.count)
    nodes = temperatures.map { log($0) }
    self.values = values
    self.slopes = slopes
  }

  /// Temperatures that cover a range, evenly spaced in ln τ.
  public static func nodes(in bounds: ClosedRange<Double>, perOctave: Int) -> [Double] {
    let octaves = log2(bounds.upperBound / bounds.lowerBound)
    let intervals = max(1, Int((octaves * Double(perOctave)).rounded(.up)))
    return (0...intervals).map { index in
      // The ends are the bounds themselves, not exponentials of their logarithms.
      if index == 0 { return bounds.lowerBound }
      if index == intervals { return bounds.upperBound }
      return bounds.lowerBound * exp2(octaves * Double(index) / Double(intervals))
    }
  }

  /// The function at a temperature, which must lie between the outermost nodes.
  public func value(at temperature: Double) -> Double {
    let x = min(max(log(temperature), nodes.first!), nodes.last!)
    let right = min(max(nodes.partitioningIndex { $0 > x }, 1), nodes.count - 1)
    let left = right - 1
    let width = nodes[right] - nodes[left]
    let t = (x - nodes[left]) / width
    let (t2, t3) = (t * t, t * t * t)
    return values[left] * (2 * t3 - 3 * t2 + 1) + width * slopes[left] * (t3 - 2 * t2 + t)
      + values[right] * (3 * t2 - 2 * t3) + width * slopes[right] * (t3 - t2)
  }
}

extension [Double] {
  /// The first index from which `isBeyond` holds, in a list where it holds from some point on.
  fileprivate func partitioningIndex(_ isBeyond: (Double) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBeyond(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
