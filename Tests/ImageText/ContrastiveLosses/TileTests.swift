import Diagnostics
import TemperatureSettings
import Testing
import Torch

@testable import ContrastiveLosses

@Suite struct TileTests {
  @Test(arguments: [DType.float32, .float64]) func `tiles give what the whole batch gives`(dtype: DType) throws {
    let count = 37
    let batch = Self.batch(count, dtype)
    let losses: [(AnchorLoss, CyclicTerms?)] = [
      (.crossEntropy, nil), (.crossEntropy, CyclicTerms()), (.robust(MovingAverage(gamma: 0.7, rho: 1)), nil),
      (.robust(MovingAverage(gamma: 0.7, normaliser: .sum, rho: 1)), nil),
    ]
    for (loss, cyclic) in losses {
      let whole = ContrastiveGradient(loss, of: batch, weight: 1 / Double(count), cyclic: cyclic)
      for rows in [1, 8, 36] {
        let tiled = ContrastiveGradient(loss, of: batch, weight: 1 / Double(count), cyclic: cyclic, tileRows: rows)
        for (a, b) in [(whole.image, tiled.image), (whole.text, tiled.text)] {
          expectEqual(a.rows, b.rows, dtype)
          expectEqual(a.slopes, b.slopes, dtype)
          if let averages = a.averages { expectEqual(averages.s, b.averages!.s, dtype) }
        }
        #expect(abs(whole.loss.item - tiled.loss.item) <= (dtype == .float64 ? 1e-12 : 1e-5) * abs(whole.loss.item))
      }
    }
  }

  /// Equal within 1e-6 of the largest entry in float64, and 1e-5 in float32.
  private func expectEqual(_ a: Tensor, _ b: Tensor, _ dtype: DType) {
    let size = a.doubles.map { abs($0) }.max()!
    let difference = zip(a.doubles, b.doubles).map { abs($0 - $1) }.max()!
    #expect(difference <= (dtype == .float64 ? 1e-6 : 1e-5) * size, "\(difference / size)")
  }

  static func batch(_ count: Int, _ dtype: DType) -> ContrastiveBatch {
    func wave(_ shape: [Int], _ phase: Double) -> Tensor {
      ((Tensor.arange(shape.reduce(1, *), dtype: .float64) * 1.7 + phase).square() * 0.3).sin().reshaped(shape)
    }
    func rows(_ phase: Double) -> Tensor {
      let raw = wave([count, 16], phase)
      return (raw / raw.norm(1, keeping: true)).to(dtype)
    }
    func side(_ phase: Double) -> ContrastiveBatch.Side {
      .init(
        rows(phase), tau: (wave([count], phase) * 0.05 + 0.1).to(dtype),
        averages: AnchorAverages(
          s: (wave([count], phase + 1) + 1.2).to(dtype), b: (wave([count], phase + 2) + 1).to(dtype)))
    }
    return ContrastiveBatch(image: side(0.1), text: side(0.7))
  }
}

@Suite struct StateTests {
  @Test func `ids out of range, repeated ids and ids that fall are refused by name`() throws {
    for (ids, words) in [
      ([1, 2, 9], "picture 9"), ([-1, 2], "picture -1"), ([1, 4, 4], "picture 4 is in one batch twice"),
      ([3, 1], "picture 1 follows picture 3"),
    ] {
      let failure = #expect(throws: Failure.self) { try SampleIds(ids, of: 9, side: .image) }
      #expect(failure?.status == .badData)
      #expect("\(failure!)".contains(words))
    }
    #expect(throws: Failure.self) { try SampleIds([2, 2], of: 9, side: .text) }
  }

  @Test func `states change at the batch's positions alone`() throws {
    let state = SideState(count: 5, tau: 0.1)
    let ids = try SampleIds([1, 3], of: 5, side: .text)
    state.set(AnchorAverages(s: Tensor([2, 3] as [Float]), b: Tensor([4, 5] as [Float])), of: ids)
    #expect(state.s.floats == [0, 2, 0, 3, 0])
    #expect(state.b.floats == [0, 4, 0, 5, 0])
    #expect(state.unseen == 3)
    state.individual!.step(
      Tensor([1, -100] as [Float]), of: ids, TemperatureStep(rate: 0.01, bounds: 0.05...0.12))
    #expect(state.individual!.u.floats == [0, 0.5, 0, -2.5, 0])
    for (a, b) in zip(state.individual!.tau.floats, [0.1, 0.095, 0.1, 0.12, 0.1]) { #expect(abs(a - Float(b)) < 1e-7) }
  }

  @Test func `a sample that was never seen takes its batch's own normaliser`() {
    let batch = TileTests.batch(6, .float64)
    func result(_ s: Tensor) -> ContrastiveGradient {
      let zeros = Tensor.zeros([6], dtype: .float64)
      return ContrastiveGradient(
        .robust(MovingAverage(gamma: 0.25)),
        of: ContrastiveBatch(
          image: .init(batch.image.rows, tau: batch.image.tau, averages: AnchorAverages(s: s, b: zeros)),
          text: .init(batch.text.rows, tau: batch.text.tau, averages: AnchorAverages(s: s, b: zeros))), weight: 1)
    }
    let fresh = result(.zeros([6], dtype: .float64)).image.averages!.s.doubles
    let some = result(Tensor([0, 1, 0, 1, 0, 1] as [Double])).image.averages!.s.doubles
    for index in 0..<6 {
      let old = index % 2 == 0 ? fresh[index] : some[index]
      #expect(index % 2 == 0 ? some[index] == old : some[index] != fresh[index])
    }
  }
}
