import Glibc
import Testing
import Torch

@testable import TempNet

@Suite struct ExactTemperatureTests {
  /// Entropies of softmax(z/τ), computed apart from the solver, in float64.
  private func entropies(_ logits: Tensor, _ tau: Tensor) -> [Double] {
    let logProbabilities = (logits.to(.float64) / tau.unsqueezed(-1)).logSoftmax(-1)
    return (-(logProbabilities.exp() * logProbabilities).sum(-1)).doubles
  }

  @Test(arguments: [0.05, 0.5, 2.0, 4.5])
  func `an inner optimum has the wanted entropy to 1e-6, from flat rows to peaked ones`(entropy: Double) {
    var noise = Noise(1)
    let spread = noise.uniform([300, 1], low: 0.05, high: 40)
    let logits = noise.normal([300, 120]) * spread + 1000
    let bounds = 1e-7...1e4
    let tau = ExactTemperature.solve(logits: logits, entropy: entropy, bounds: bounds)
    for found in entropies(logits, tau) { #expect(abs(found - entropy) < 1e-6) }
  }

  @Test(arguments: [1, 3, 31, 33, 700, 5000], [0.02, 0.7, 3, 6])
  func `the operator finds what the search over tensors finds`(width: Int, entropy: Double) {
    var noise = Noise(UInt64(width))
    let logits = noise.normal([50, width]) * noise.uniform([50, 1], low: 0.01, high: 30) - 300
    for bounds in [0.25...4.0, 1e-4...1e4, 1.5...1.5] {
      let found = ExactTemperature.solve(logits: logits, entropy: entropy, bounds: bounds).doubles
      let wanted = ExactTemperature.reference(logits: logits, entropy: entropy, bounds: bounds).doubles
      for (a, b) in zip(found, wanted) { #expect(abs(a - b) <= 1e-7 * b, "\(bounds)") }
    }
  }

  @Test func `rho names the same optimum as the entropy it stands for`() {
    var noise = Noise(2)
    let logits = noise.normal([20, 50]) * 5
    let byEntropy = ExactTemperature.solve(logits: logits, entropy: log(50) - 3, bounds: 0.01...10)
    #expect(ExactTemperature.solve(logits: logits, rho: 3, bounds: 0.01...10).doubles == byEntropy.doubles)
  }

  @Test func `an optimum beyond a bound is that bound, exactly`() {
    var noise = Noise(3)
    let logits = noise.normal([200, 64]) * noise.uniform([200, 1], low: 0.1, high: 30)
    let inner = ExactTemperature.solve(logits: logits, entropy: 2, bounds: 1e-4...1e4).doubles
    let bounded = ExactTemperature.solve(logits: logits, entropy: 2, bounds: 0.5...2).doubles
    for (free, tau) in zip(inner, bounded) { #expect(abs(min(max(free, 0.5), 2) - tau) < 1e-8) }
    #expect(bounded.contains(0.5) && bounded.contains(2))
  }

  @Test func `scaling the logits scales the optimum`() {
    var noise = Noise(4)
    let logits = (noise.normal([40, 80]) * 4).to(.float64)
    let tau = ExactTemperature.solve(logits: logits, entropy: 1.5, bounds: 1e-3...1e3)
    let scaled = ExactTemperature.solve(logits: logits * 7, entropy: 1.5, bounds: 1e-3...1e3)
    for (a, b) in zip(tau.doubles, scaled.doubles) { #expect(abs(7 * a - b) < 1e-7 * b) }
  }

  @Test func `degenerate rows give a bound or a number inside, never NaN`() {
    let rows: [[Float]] = [
      [0, 0, 0, 0],
      [1e-30, -1e-30, 0, 0],
      [1e30, 0, 0, 0],
      [3e38, -3e38, 0, 0],
      [5, -.infinity, -.infinity, -.infinity],
      [100, 0, 0, 0],
      [0, 0, -500, -500],
    ]
    let logits = Tensor(rows.flatMap { $0 }, shape: [rows.count, 4])
    for solve in [ExactTemperature.solve(logits:entropy:bounds:), ExactTemperature.reference] {
      #expect(solve(logits, 1, 0.1...3).doubles == [0.1, 0.1, 3, 3, 3, 3, 3])
      for entropy in [1e-3, log(2.0), log(4.0)] {
        #expect(solve(logits, entropy, 0.1...3).doubles.allSatisfy { $0 >= 0.1 && $0 <= 3 })
      }
    }
  }

  @Test func `rows do not depend on the rows beside them or on how they are cut into chunks`() {
    var noise = Noise(5)
    // Wider than a chunk, so that every row is a chunk of its own.
    let logits = noise.normal([3, chunkElements / 2 + 1]) * 3
    for solve in [ExactTemperature.solve(logits:entropy:bounds:), ExactTemperature.reference] {
      let together = solve(logits, 6, 0.01...10).doubles
      for row in 0..<3 { #expect(solve(logits[row..<row + 1], 6, 0.01...10).item == together[row]) }
      #expect(solve(logits[0..<0], 6, 0.01...10).shape == [0])
    }
  }

  @Test func `what the operator cannot take is refused`() {
    let row = Tensor.zeros([1, 3])
    let bad: [(Tensor, Double, Double)] = [
      (row.to(.float64), 0.1, 1), (.zeros([1, 0]), 0.1, 1), (row, 0, 1), (row, 2, 1), (row, 1, .infinity),
    ]
    for (logits, low, high) in bad {
      #expect(throws: TorchError.self) {
        _ = try Operator.call(
          "tempnet::temperature_of_entropy", "", [.tensor(logits), .number(1), .number(low), .number(high)])
      }
    }
  }
}

@Suite struct SingleTemperatureTests {
  @Test func `the best temperature is where the mean loss is least`() {
    var noise = Noise(6)
    let logits = noise.normal([60, 40]) * 3
    let labels = noise.labels(60, below: 40)
    func robust(_ tau: Double) -> Double {
      RobustLoss.perToken(
        logits: logits.to(.float64), labels: labels, tau: .full([60], tau, dtype: .float64), rho: log(40) - 1.5
      ).mean().item
    }
    func crossEntropy(_ tau: Double) -> Double {
      RobustLoss.temperedCrossEntropy(
        logits: logits.to(.float64), labels: labels, tau: .full([60], tau, dtype: .float64)
      ).mean().item
    }
    let best = SingleTemperature.robust(logits: logits, entropy: 1.5, bounds: 0.01...100)
    #expect(robust(best) < robust(best * 1.001) && robust(best) < robust(best / 1.001))
    let bestLikelihood = SingleTemperature.crossEntropy(logits: logits, labels: labels, bounds: 0.01...1000)
    #expect(crossEntropy(bestLikelihood) < crossEntropy(bestLikelihood * 1.001))
    #expect(crossEntropy(bestLikelihood) < crossEntropy(bestLikelihood / 1.001))
  }

  @Test func `for one token it is the exact optimum`() {
    var noise = Noise(7)
    let logits = noise.normal([1, 40]) * 3
    let exact = ExactTemperature.solve(logits: logits, entropy: 1, bounds: 0.01...10).item
    let single = SingleTemperature.robust(logits: logits, entropy: 1, bounds: 0.01...10)
    #expect(abs(single - exact) < 1e-6)
  }

  @Test func `labels that are left out do not count`() {
    var noise = Noise(8)
    let logits = noise.normal([4, 10]) * 2
    let all = SingleTemperature.crossEntropy(
      logits: logits[0..<2], labels: Tensor([3, 1]), bounds: 0.1...10)
    let masked = SingleTemperature.crossEntropy(
      logits: logits, labels: Tensor([3, 1, -100, -100]), bounds: 0.1...10)
    #expect(abs(all - masked) < 1e-9)
  }

  @Test func `a slope of one sign ends at a bound`() {
    #expect(SingleTemperature.minimiser(in: 0.5...2) { _ in 1 } == 0.5)
    #expect(SingleTemperature.minimiser(in: 0.5...2) { _ in -1 } == 2)
  }

  @Test func `a root is found to the tolerance in few evaluations`() {
    var evaluations = 0
    let root = SingleTemperature.minimiser(in: 0.01...10) { tau in
      evaluations += 1
      return tanh(tau - 0.37)
    }
    #expect(abs(root - 0.37) < 1e-8)
    #expect(evaluations < 16)
  }
}
