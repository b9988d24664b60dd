import Diagnostics
import Glibc

/// One axis of a chart: what it shows, from where to where, and round numbers along it.
public struct Axis: Equatable, Sendable {
  public struct Tick: Equatable, Sendable {
    public let value: Double
    public let label: String
  }

  public let title: String
  public let range: ClosedRange<Double>
  public let ticks: [Tick]

  /// An axis from a round number to a round number, with ticks at multiples of 1, 2 or 5 times a power of ten.
  ///
  /// - Parameters:
  ///   - values: what it has to hold; finite.
  ///   - wanted: about how many steps.
  public init(_ title: String, covering values: ClosedRange<Double>, steps wanted: Int = 5) {
    precondition(values.lowerBound.isFinite && values.upperBound.isFinite, "\(title): no finite range")
    let values = Self.widened(values)
    let least = (values.upperBound - values.lowerBound) / Double(wanted)
    let exponent = Int(floor(log10(least)))
    let power = pow(10, Double(exponent))
    let factor = [1.0, 2, 5].first { $0 * power >= least * (1 - 1e-9) } ?? 10
    let step = factor * power
    let first = floor(values.lowerBound / step + 1e-9)
    let last = ceil(values.upperBound / step - 1e-9)
    self.title = title
    range = first * step...last * step
    ticks = (0...Int(last - first)).map { index in
      let value = (first + Double(index)) * step
      return Tick(value: value, label: Self.label(value, digits: -(factor == 10 ? exponent + 1 : exponent)))
    }
  }

  public init(_ title: String, covering values: some Sequence<Double>, steps: Int = 5) {
    var bounds: ClosedRange<Double>?
    for value in values {
      bounds = bounds.map { min($0.lowerBound, value)...max($0.upperBound, value) } ?? value...value
    }
    self.init(title, covering: bounds ?? 0...1, steps: steps)
  }

  /// The place of a value as a share of the way, within 0 and 1.
  func share(_ value: Double) -> Double {
    min(max((value - range.lowerBound) / (range.upperBound - range.lowerBound), 0), 1)
  }

  /// A range that is wide enough, against the size of its numbers, to be cut into steps.
  private static func widened(_ values: ClosedRange<Double>) -> ClosedRange<Double> {
    let (low, high) = (values.lowerBound, values.upperBound)
    let size = max(abs(low), abs(high))
    guard high - low <= size * 1e-9 else { return values }
    let margin = size > 0 ? size / 10 : 1
    return low - margin...high + margin
  }

  private static func label(_ value: Double, digits: Int) -> String {
    for (scale, zeros, suffix) in [(1e9, 9, "G"), (1e6, 6, "M"), (1e3, 3, "k")] where abs(value) >= 10 * scale {
      return fixed(value / scale, digits: min(max(0, digits + zeros), 6)) + suffix
    }
    return fixed(value == 0 ? 0 : value, digits: min(max(0, digits), 12))
  }
}
