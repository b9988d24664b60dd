import Glibc
import Testing
import Torch

@testable import TempNet

@Suite struct TemperedStatisticsTests {
  /// The operator reads float32; the reference is given the same numbers in float64.
  private func expectSame(_ logits: Tensor, tau: Tensor, tolerance: Double = 1e-12) {
    let found = TemperedStatistics(logits: logits, tau: tau)
    let wanted = TemperedStatistics.reference(logits: logits.to(.float64), tau: tau.to(.float64))
    for part in [\TemperedStatistics.logPartition, \.mean, \.variance, \.collision, \.entropy] {
      for (a, b) in zip(found[keyPath: part].doubles, wanted[keyPath: part].doubles) {
        #expect(abs(a - b) <= tolerance * max(1, abs(b)), "\(part): \(a), \(b)")
      }
    }
  }

  @Test(arguments: [1, 2, 7, 8, 15, 16, 17, 33, 300, 4099])
  func `the operator agrees with float64 sums for rows of every length`(width: Int) {
    var noise = Noise(UInt64(width))
    let logits = noise.normal([40, width]) * noise.uniform([40, 1], low: 0.01, high: 30) + 20
    expectSame(logits, tau: noise.uniform([40], low: 0.05, high: 5))
  }

  @Test func `tiny and huge temperatures, equal logits and impossible tokens`() {
    let rows: [[Float]] = [
      [3, 3, 3, 3, 3], [0, -1e30, 5, 1, 2], [-.infinity, 1, 2, -.infinity, 0], [1e30, 1e30, -1e30, 0, 1],
      [100, 0, 0, 0, 0],
    ]
    let logits = Tensor(rows.flatMap { $0 }, shape: [5, 5])
    for tau in [1e-7, 0.01, 1, 100, 1e4] { expectSame(logits, tau: .full([5], tau, dtype: .float64)) }
  }

  @Test(arguments: [Float.nan, .infinity])
  func `a row of which no softmax can be made gives no numbers, and its neighbours do`(poison: Float) {
    var values = [Float](repeating: 0.5, count: 60)
    values[27] = poison
    let found = TemperedStatistics(logits: Tensor(values, shape: [3, 20]))
    for part in [found.entropy, found.logPartition, found.collision] {
      #expect(part.doubles.map(\.isNaN) == [false, true, false])
    }
    #expect(abs(found.entropy.doubles[0] - log(20)) < 1e-12)
  }

  @Test func `neither impossible tokens alone nor a temperature that is none give numbers`() {
    let impossible = Tensor([Float](repeating: -.infinity, count: 9), shape: [1, 9])
    #expect(TemperedStatistics(logits: impossible).logPartition.item.isNaN)
    for tau in [Double.nan, 0, -1] {
      #expect(TemperedStatistics(logits: .zeros([1, 9]), tau: Tensor([tau])).logPartition.item.isNaN)
    }
  }

  @Test func `no rows give no statistics`() {
    #expect(TemperedStatistics(logits: .zeros([0, 9])).collision.shape == [0])
  }
}
