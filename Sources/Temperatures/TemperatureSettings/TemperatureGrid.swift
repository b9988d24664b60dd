import Diagnostics
import Glibc

/// The temperatures at which profiles are tabulated: uniform in ln τ, with a whole number of nodes per octave.
public struct TemperatureGrid: Equatable, Sendable {
  /// ln of the least temperature.
  package let start: Double
  public let nodesPerOctave: Int
  /// The number of nodes, at least 2.
  public let count: Int

  /// The distance of neighbours in ln τ.
  package var step: Double { log(2) / Double(nodesPerOctave) }

  /// A grid from the least temperature up, that reaches the greatest one or just beyond it.
  ///
  /// Four nodes per octave keep the loss of a token within 2e-4 nats and its slope within 1e-3 of the true ones, on random
  /// rows of 4,096 logits from flat to peaked, and within 3e-5 and 4e-4 on rows of a trained model; eight keep them within
  /// 3e-6 and 4e-5.
  public init(covering bounds: ClosedRange<Double>, nodesPerOctave: Int = 4) {
    precondition(bounds.lowerBound > 0 && bounds.lowerBound < bounds.upperBound && nodesPerOctave > 0)
    let octaves = log2(bounds.upperBound / bounds.lowerBound)
    start = log(bounds.lowerBound)
    self.nodesPerOctave = nodesPerOctave
    // An upper bound that is a node but for rounding does not need a further node.
    count = max(2, Int((octaves * Double(nodesPerOctave) - 1e-6).rounded(.up)) + 1)
  }

  /// The grid with these nodes, as read from a file.
  ///
  /// - Throws: `Failure(.badData)` unless they rise as those of a grid do.
  public init(temperatures: [Double], path: String) throws {
    func failure(_ message: String) -> Failure {
      Failure(.badData, "the temperatures of the profile \(message)", at: path)
    }
    guard temperatures.count >= 2 else { throw failure("are fewer than two") }
    guard temperatures.allSatisfy({ $0 > 0 && $0.isFinite }), temperatures[1] > temperatures[0] else {
      throw failure("do not rise from above 0")
    }
    let perOctave = 1 / log2(temperatures[1] / temperatures[0])
    start = log(temperatures[0])
    nodesPerOctave = max(1, Int(min(perOctave, 1e6).rounded()))
    count = temperatures.count
    guard zip(temperatures, self.temperatures).allSatisfy({ abs($0 - $1) <= 1e-5 * $1 }) else {
      throw failure("do not rise uniformly in their logarithm, with a whole number of them to the octave")
    }
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
