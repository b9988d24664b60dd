import Diagnostics
import Glibc
import TemperatureSettings
import Testing
import Torch

@testable import TempNet

@Suite struct RobustLossTests {
  private let vocabulary = 30
  private let rho = 1.7

  private func sample(_ rows: Int, seed: UInt64 = 1) -> (logits: Tensor, labels: Tensor, tau: Tensor) {
    var noise = Noise(seed)
    let logits = (noise.normal([rows, vocabulary]) * 4).to(.float64)
    let labels = noise.labels(rows, below: vocabulary)
    let tau = noise.uniform([rows], low: 0.3, high: 3).to(.float64)
    return (logits, labels, tau)
  }

  private func loss(_ logits: Tensor, _ labels: Tensor, _ tau: Tensor) -> Tensor {
    RobustLoss.perToken(logits: logits, labels: labels, tau: tau, rho: rho)
  }

  @Test func `at temperature 1 and rho ln V the loss is cross-entropy`() {
    let (logits, labels, _) = sample(50)
    let ones = Tensor.ones([50], dtype: .float64)
    let robust = RobustLoss.perToken(logits: logits, labels: labels, tau: ones, rho: log(Double(vocabulary)))
    let crossEntropy = -logits.logSoftmax(-1).gathered(1, labels.unsqueezed(1)).squeezed(1)
    for (a, b) in zip(robust.doubles, crossEntropy.doubles) { #expect(abs(a - b) < 1e-12) }
  }

  @Test func `gradients agree with finite differences`() {
    let (logits, labels, tau) = sample(6)
    logits.requiringGradient()
    tau.requiringGradient()
    loss(logits, labels, tau).sum().backward()
    let step = 1e-5
    func slope(_ at: (Double) -> Double) -> Double { (at(step) - at(-step)) / (2 * step) }
    withoutGradients {
      for row in 0..<6 {
        let unit = Tensor([Double](repeating: 0, count: 6).enumerated().map { $0.offset == row ? 1 : 0 })
        let byTau = slope { loss(logits, labels, tau + unit * $0).sum().item }
        #expect(abs(byTau - tau.gradient!.doubles[row]) < 1e-7)
      }
      for element in stride(from: 0, to: 6 * vocabulary, by: 7) {
        let unit = Tensor((0..<6 * vocabulary).map { $0 == element ? 1.0 : 0 }, shape: [6, vocabulary])
        let byLogit = slope { loss(logits + unit * $0, labels, tau).sum().item }
        #expect(abs(byLogit - logits.gradient!.doubles[element]) < 1e-7)
      }
    }
  }

  @Test func `the slope in the temperature is the entropy minus the wanted one, whatever the label`() {
    let (logits, labels, tau) = sample(40)
    tau.requiringGradient()
    loss(logits, labels, tau).sum().backward()
    let slopes = tau.gradient!.doubles
    tau.clearGradient()
    loss(logits, labels.masked(labels.greater(5), with: 3), tau).sum().backward()
    let entropies = TemperedStatistics(logits: logits, tau: tau.detached()).entropy.doubles
    for (row, other) in tau.gradient!.doubles.enumerated() {
      #expect(abs(slopes[row] - other) < 1e-10)
      #expect(abs(slopes[row] - (entropies[row] - (log(Double(vocabulary)) - rho))) < 1e-10)
    }
  }

  @Test func `the gradient in the logits is the tempered distribution minus the label's`() {
    let (logits, labels, tau) = sample(5)
    logits.requiringGradient()
    loss(logits, labels, tau).sum().backward()
    let p = (logits.detached() / tau.unsqueezed(-1)).softmax(-1).doubles
    for (index, gradient) in logits.gradient!.doubles.enumerated() {
      let isLabel = labels.integers[index / vocabulary] == index % vocabulary
      #expect(abs(gradient - (p[index] - (isLabel ? 1 : 0))) < 1e-12)
    }
  }

  @Test func `a masked row is as if it were not there`() {
    let (logits, labels, tau) = sample(4)
    let mask = Tensor([1, 0, 1, 0])
    let masked = labels.masked(mask.equal(0), with: Double(RobustLoss.ignoredLabel))
    let kept = Tensor([0, 2])
    for function in [
      { self.loss($0, $1, $2) }, { RobustLoss.temperedCrossEntropy(logits: $0, labels: $1, tau: $2) },
    ] as [(Tensor, Tensor, Tensor) -> Tensor] {
      let (z, t) = (logits.cloned().requiringGradient(), tau.cloned().requiringGradient())
      let values = function(z, masked, t)
      values.sum().backward()
      let (subZ, subT) = (
        logits.selected(0, indices: kept).requiringGradient(), tau.selected(0, indices: kept).requiringGradient()
      )
      let subset = function(subZ, labels.selected(0, indices: kept), subT)
      subset.sum().backward()
      #expect(values.doubles == [subset.doubles[0], 0, subset.doubles[1], 0])
      #expect(z.gradient!.selected(0, indices: kept).doubles == subZ.gradient!.doubles)
      #expect(t.gradient!.doubles == [subT.gradient!.doubles[0], 0, subT.gradient!.doubles[1], 0])
      #expect(z.gradient!.selected(0, indices: Tensor([1, 3])).doubles.allSatisfy { $0 == 0 })
    }
  }

  @Test func `shifting the logits changes nothing, and large ones stay finite`() {
    let (logits, labels, tau) = sample(10)
    let shifted = loss(logits + 1e6, labels, tau)
    for (a, b) in zip(loss(logits, labels, tau).doubles, shifted.doubles) { #expect(abs(a - b) < 1e-8) }
    let large = (logits * 1e6).to(.float32).requiringGradient()
    let value = loss(large, labels, tau.to(.float32))
    value.sum().backward()
    #expect(value.allFinite().item == 1 && large.gradient!.allFinite().item == 1)
  }

  @Test func `limits of the temperature are the loss's own limits`() {
    let (logits, labels, _) = sample(10)
    // τ·LSE(h/τ) tends to max h as τ falls, and to mean h + τ ln V as it grows.
    let gaps = logits - logits.gathered(1, labels.unsqueezed(1))
    let cold = loss(logits, labels, .full([10], 1e-6, dtype: .float64)).doubles
    let hot = loss(logits, labels, .full([10], 1e6, dtype: .float64)).doubles
    for row in 0..<10 {
      #expect(abs(cold[row] - gaps.maximum(1).doubles[row]) < 1e-4)
      #expect(abs(hot[row] - rho * 1e6 - gaps.mean(1).doubles[row]) < 1e-3)
    }
  }

  @Test func `a budget or an entropy that no temperature meets is refused with the range that can be met`() throws {
    func message(_ body: () throws -> Void) -> String? {
      do {
        try body()
        return nil
      } catch let failure as Failure {
        return failure.status == .badConfiguration ? failure.message : "wrong status"
      } catch {
        return "wrong type"
      }
    }
    #expect(message { _ = try RobustBudget(alternatives: 4096, rho: 8.5) }?.contains("below ln 4096 = 8.3178") == true)
    #expect(message { _ = try RobustBudget(alternatives: 4096, rho: -0.1) } != nil)
    #expect(message { _ = try RobustBudget(alternatives: 4096, rho: .nan) } != nil)
    #expect(message { _ = try RobustBudget(alternatives: 4096, rho: 0) } == nil)
    #expect(
      message { _ = try RobustBudget(alternatives: 4096, entropy: 9) }?.contains("at most ln 4096 = 8.3178") == true)
    #expect(message { _ = try RobustBudget(alternatives: 4096, entropy: 0) } != nil)
    #expect(abs(try RobustBudget(alternatives: 4096, entropy: 2.8).rho - (log(4096) - 2.8)) < 1e-12)
  }
}
