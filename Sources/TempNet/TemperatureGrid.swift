import Diagnostics
import Glibc

/// The temperatures at which profiles are tabulated: uniform in ln τ.
public struct TemperatureGrid: Equatable, Sendable {
  /// ln of the least temperature.
  let start: Double
  /// The distance of neighbours in ln τ.
  let step: Double
  /// The number of nodes, at least 2.
  public let count: Int

  /// A grid from the least temperature up, that reaches the greatest one or just beyond it.
  ///
  /// Four nodes per octave keep the loss of a token within 2e-4 nats and its slope within 1e-3 of the true ones, on random
  /// rows of 4,096 logits from flat to peaked; eight keep them within 3e-6 and 4e-5.
  public init(covering bounds: ClosedRange<Double>, nodesPerOctave: Int = 4) {
    precondition(bounds.lowerBound > 0 && bounds.lowerBound < bounds.upperBound && nodesPerOctave > 0)
    let octaves = log2(bounds.upperBound / bounds.lowerBound)
    start = log(bounds.lowerBound)
    step = log(2) / Double(nodesPerOctave)
    // An upper bound that is a node but for rounding does not need a further node.
    count = max(2, Int((octaves * Double(nodesPerOctave) - 1e-6).rounded(.up)) + 1)
  }

  /// The grid with these nodes, as read from a file.
  ///
  /// - Throws: `Failure(.badData)` unless they rise uniformly in ln τ.
  public init(temperatures: [Double], path: String) throws {
    func failure(_ message: String) -> Failure {
      Failure(.badData, "the temperatures of the profile \(message)", at: path)
    }
    guard temperatures.count >= 2 else { throw failure("are fewer than two") }
    guard temperatures.allSatisfy({ $0 > 0 && $0.isFinite }) else { throw failure("are not all above 0") }
    start = log(temperatures[0])
    step = (log(temperatures.last!) - start) / Double(temperatures.count - 1)
    count = temperatures.count
    let isUniform = zip(temperatures, self.temperatures).allSatisfy { abs($0 - $1) <= 1e-5 * $1 }
    guard step > 0, isUniform else { throw failure("do not rise uniformly in their logarithm") }
  }

  /// The nodes, from the least up.
  public var temperatures: [Double] { (0..<count).map { exp(start + step * Double($0)) } }

  /// The range of temperatures at which profiles on this grid can be looked up.
  public var bounds: ClosedRange<Double> { exp(start)...exp(start + step * Double(count - 1)) }

  /// Whether the grid reaches from one bound to the other; what rounding in a file took away does not count.
  public func covers(_ wanted: ClosedRange<Double>) -> Bool {
    bounds.lowerBound <= wanted.lowerBound * (1 + 1e-6) && bounds.upperBound >= wanted.upperBound * (1 - 1e-6)
  }
}
