import Foundation
import Testing

@testable import Evaluation

struct TemperatureCurveTests {
  @Test func nodesCoverTheRangeEvenlyInTheLogarithm() {
    let nodes = TemperatureCurve.nodes(in: 0.5...4, perOctave: 8)
    #expect(nodes.count == 25)
    #expect(nodes.first == 0.5 && nodes.last == 4)
    #expect(abs(nodes[8] - 1) < 1e-12 && abs(nodes[16] - 2) < 1e-12)
    #expect(TemperatureCurve.nodes(in: 0.01...2, perOctave: 8).count == 63)
    #expect(TemperatureCurve.nodes(in: 1...1.01, perOctave: 1) == [1, 1.01])
  }

  @Test func followsAnEntropyBetweenItsNodes() {
    let logits = (0..<50).map { -3 * log(Double($0 + 1)) }
    /// The entropy of softmax(z/τ) and its derivative by ln τ, the variance of z/τ.
    func entropy(_ tau: Double) -> (value: Double, slope: Double) {
      let weights = logits.map { exp($0 / tau) }
      let partition = weights.reduce(0, +)
      let mean = zip(logits, weights).reduce(0) { $0 + $1.0 / tau * $1.1 } / partition
      let square = zip(logits, weights).reduce(0) { $0 + $1.0 / tau * $1.0 / tau * $1.1 } / partition
      return (log(partition) - mean, square - mean * mean)
    }
    let nodes = TemperatureCurve.nodes(in: 0.25...4, perOctave: 8)
    let curve = TemperatureCurve(
      temperatures: nodes, values: nodes.map { entropy($0).value }, slopes: nodes.map { entropy($0).slope })
    for tau in stride(from: 0.25, through: 4, by: 0.013) {
      #expect(abs(curve.value(at: tau) - entropy(tau).value) < 1e-5)
    }
    for node in nodes { #expect(abs(curve.value(at: node) - entropy(node).value) < 1e-12) }
    #expect(curve.value(at: 9) == curve.value(at: 4))
  }
}
