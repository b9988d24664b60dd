import Diagnostics
import Glibc
import TemperatureSettings
import Testing
import Torch

@testable import TempNet

@Suite struct TemperatureGridTests {
  @Test func `a grid starts at the least temperature and reaches the greatest, uniform in its logarithm`() {
    let grid = TemperatureGrid(covering: 0.01...2, nodesPerOctave: 8)
    #expect(grid.count == 63)
    let nodes = grid.temperatures
    #expect(abs(nodes[0] - 0.01) < 1e-12 && nodes[62] >= 2 && nodes[61] < 2)
    #expect(zip(nodes, nodes.dropFirst(8)).allSatisfy { abs($1 / $0 - 2) < 1e-12 })
    #expect(TemperatureGrid(covering: 0.25...2, nodesPerOctave: 4).count == 13)
  }

  @Test func `a grid survives rounding to float32 in a file`() throws {
    let grid = TemperatureGrid(covering: 0.1...3, nodesPerOctave: 4)
    let read = try TemperatureGrid(temperatures: grid.temperatures.map { Double(Float($0)) }, path: "x")
    #expect(read.count == grid.count && abs(read.start - grid.start) < 1e-7 && abs(read.step - grid.step) < 1e-7)
    #expect(read.covers(0.1...3) && !read.covers(0.05...3) && !read.covers(0.1...4))
  }

  @Test(arguments: [[0.5], [0.5, 1, 1.5], [2, 1, 0.5], [-1, 1], [0, 1], [1, .infinity]])
  func `temperatures that are no grid are refused`(temperatures: [Double]) {
    #expect(throws: Failure.self) { try TemperatureGrid(temperatures: temperatures, path: "x") }
  }
}

@Suite struct TemperatureProfileTests {
  private let grid = TemperatureGrid(covering: 0.1...3, nodesPerOctave: 4)

  /// Rows from nearly flat to nearly one-hot, in float64.
  private func sample(_ rows: Int = 200, seed: UInt64 = 3) -> Tensor {
    var noise = Noise(seed)
    return (noise.normal([rows, 300]) * noise.uniform([rows, 1], low: 0.3, high: 8) + 20).to(.float64)
  }

  private func statistics(_ logits: Tensor, _ tau: Tensor) -> TemperedStatistics {
    TemperedStatistics(logits: logits, tau: tau)
  }

  private func largest(_ a: Tensor, _ b: Tensor) -> Double { (a.to(.float64) - b.to(.float64)).abs().maximum(0).item }

  @Test func `at its nodes a profile is what the logits give`() {
    let logits = sample()
    let profile = TemperatureProfile.compute(logits: logits.to(.float32), grid: grid)
    for (node, tau) in grid.temperatures.enumerated() {
      let taus = Tensor.full([200], tau, dtype: .float64)
      let direct = statistics(logits, taus)
      #expect(largest(profile.value.selected(1, at: node), direct.logPartition * tau) < 2e-5)
      #expect(largest(profile.entropy.selected(1, at: node), direct.entropy) < 2e-5)
      #expect(largest(profile.variance.selected(1, at: node), direct.variance) < 2e-4)
    }
  }

  /// Widths around those of vectors and tiles, grids of less than an octave, and rows in which nothing or all is equal.
  @Test(arguments: [1, 2, 7, 16, 31, 511, 512, 513, 1_030], [1...1.1, 0.01...2, 0.5...5])
  func `the fused operator gives what plain tensor code gives`(width: Int, bounds: ClosedRange<Double>) {
    var noise = Noise(UInt64(width))
    let rows = [
      noise.normal([5, width]) * 3 + 20, noise.normal([3, width]) * 1e4, .zeros([2, width]),
      (noise.normal([2, width]) * 1e-3 - 1e4), noise.normal([2, width]) * 300,
    ]
    let logits = Tensor.concatenate(rows).to(.float32)
    for nodes in [1, 4, 8] {
      let grid = TemperatureGrid(covering: bounds, nodesPerOctave: nodes)
      let (fused, plain) = (
        TemperatureProfile.compute(logits: logits, grid: grid), TemperatureProfile.reference(logits: logits, grid: grid)
      )
      #expect(largest(fused.value.reshaped([-1]), plain.value.reshaped([-1])) < 2e-5)
      #expect(largest(fused.entropy.reshaped([-1]), plain.entropy.reshaped([-1])) < 2e-5)
      #expect(largest(fused.variance.reshaped([-1]), plain.variance.reshaped([-1])) < 2e-4)
    }
    for odd in [Float.nan, .infinity] {
      let logits = Tensor([Float](repeating: 1, count: width - 1) + [odd], shape: [1, width])
      #expect(TemperatureProfile.compute(logits: logits, grid: grid).value.selected(1, at: 0).item.isNaN)
    }
    #expect(TemperatureProfile.compute(logits: .zeros([0, width]), grid: grid).value.shape == [0, grid.count])
  }

  /// Many rows, so that the vocabulary is cut in slices; logits that rise along it, so that each slice has a new maximum;
  /// and a number of rows that is more than are looked at together.
  @Test(arguments: [(1, 40, 7.0), (4_200, 2_500, 1.0), (300, 1, 1.0), (0, 9, 1.0)], [false, true])
  func `of an unembedding it comes in slices and is what plain tensor code gives`(
    _ shape: (rows: Int, vocabulary: Int, scale: Double), isRounded: Bool
  ) {
    var noise = Noise(7)
    let hidden = noise.normal([shape.rows, 6]).to(.float32) * shape.scale
    let rising = Tensor.arange(shape.vocabulary).to(.float32).unsqueezed(1) * (4 / Double(shape.vocabulary))
    var weight = noise.normal([shape.vocabulary, 6]).to(.float32) + rising
    if isRounded { weight = weight.to(.bfloat16) }
    let labels = Tensor((0..<shape.rows).map { ($0 * 7 + 3) % shape.vocabulary })
    let fused = ProfiledLogits.compute(hidden: hidden, weight: weight, labels: labels, grid: grid)
    let plain = ProfiledLogits.reference(hidden: hidden, weight: weight, labels: labels, grid: grid)
    let columns: [(ProfiledLogits) -> Tensor] = [
      \.profile.value, \.profile.entropy, \.profile.variance, \.maximum, \.norm, \.centredNorm, \.labelLogit,
    ]
    for (column, tolerance) in zip(columns, [4e-5, 4e-5, 4e-4, 4e-5, 4e-4, 4e-3, 4e-5]) {
      let (found, expected) = (column(fused), column(plain))
      #expect(found.shape == expected.shape && found.dtype == .float32)
      if shape.rows > 0 { #expect(largest(found.reshaped([-1]), expected.reshaped([-1])) < tolerance) }
    }
  }

  @Test(arguments: [-1, 9]) func `a label that is no logit is refused`(label: Int) {
    let odd = Tensor([label])
    #expect(throws: TorchError.self) {
      _ = try Operator.call(
        "tempnet::unembedding_profile", "",
        [
          .tensor(.ones([1, 2])), .tensor(.ones([9, 2])), .tensor(odd), .tensor(Tensor([1.0])), .integer(1),
        ])
    }
  }

  @Test func `between its nodes it is near, and nearer on a finer grid`() {
    let logits = sample()
    var noise = Noise(4)
    let tau = noise.uniform([200], low: log(0.1), high: log(3)).to(.float64).exp()
    let direct = statistics(logits, tau)
    for (nodes, value, entropy) in [(4, 2e-4, 1e-3), (8, 1e-5, 1e-4)] {
      let grid = TemperatureGrid(covering: 0.1...3, nodesPerOctave: nodes)
      let found = TemperatureProfile.compute(logits: logits, grid: grid)(at: tau)
      #expect(largest(found.value, direct.logPartition * tau) < value)
      #expect(largest(found.entropy, direct.entropy) < entropy)
    }
  }

  @Test func `the gradient of the value is the entropy, and what finite differences of the value say`() {
    let profile = TemperatureProfile.compute(logits: sample(50), grid: grid)
    var noise = Noise(5)
    let tau = noise.uniform([50], low: 0.11, high: 2.9).to(.float64).requiringGradient()
    let lookup = profile(at: tau)
    lookup.value.sum().backward()
    #expect(largest(tau.gradient!, lookup.entropy) < 1e-12)
    withoutGradients {
      let step = 1e-6
      let difference = (profile(at: tau + step).value - profile(at: tau - step).value) / (2 * step)
      #expect(largest(difference, tau.gradient!) < 1e-6)
    }
  }

  @Test func `values at the ends of the grid can be looked up`() {
    let logits = sample(10)
    let profile = TemperatureProfile.compute(logits: logits, grid: grid)
    for tau in [0.1, 3.0, grid.bounds.upperBound] {
      let taus = Tensor.full([10], tau, dtype: .float64)
      #expect(largest(profile(at: taus).entropy, statistics(logits, taus).entropy) < 1e-3)
    }
  }

  @Test func `a temperature that is not a number has a value that is none, for a training gone astray to end with`() {
    let profile = TemperatureProfile.compute(logits: sample(3), grid: grid)
    let found = profile(at: Tensor([1, .nan, 2]))
    #expect(found.value.doubles.map(\.isNaN) == [false, true, false])
    #expect(found.entropy.doubles.map(\.isNaN) == [false, true, false])
  }

  @Test func `the mean profile gives the mean of what the profiles give`() {
    let profile = TemperatureProfile.compute(logits: sample(30), grid: grid)
    let each = profile(at: .full([30], 0.77, dtype: .float64))
    let mean = profile.mean(at: Tensor([0.77]))
    #expect(abs(mean.value.item - each.value.mean().item) < 1e-9)
    #expect(abs(mean.entropy.item - each.entropy.mean().item) < 1e-9)
  }

  @Test func `its optimum is the exact solver's to the error of interpolation`() {
    let logits = sample()
    let profile = TemperatureProfile.compute(logits: logits, grid: grid)
    let exact = ExactTemperature.solve(logits: logits, entropy: 2, bounds: 0.1...3)
    let found = profile.optimum(entropy: 2, bounds: 0.1...3)
    #expect(largest(found, exact) < 1e-3)
    #expect(found.equal(0.1).integers == exact.equal(0.1).integers)
    #expect(found.equal(3).integers == exact.equal(3).integers)
  }

  @Test func `the best single temperatures are those of the logits`() {
    let logits = sample(100)
    var noise = Noise(6)
    let labels = noise.labels(100, below: 300).masked(
      Tensor.arange(100).less(60), with: 0)
    let targets = logits.gathered(1, labels.unsqueezed(1)).squeezed(1) - logits.maximum(1)
    let profile = TemperatureProfile.compute(logits: logits, grid: TemperatureGrid(covering: 0.1...30))
    let bounds = 0.1...30.0
    let robust = SingleTemperature.robust(profile: profile, entropy: 2, bounds: bounds)
    #expect(abs(robust / SingleTemperature.robust(logits: logits, entropy: 2, bounds: bounds) - 1) < 1e-3)
    let likely = SingleTemperature.crossEntropy(profile: profile, targets: targets, bounds: bounds)
    #expect(
      abs(likely / SingleTemperature.crossEntropy(logits: logits, labels: labels, bounds: bounds) - 1) < 1e-3)
  }

  @Test func `rows are chosen, and no rows are no trouble`() {
    let logits = sample(6)
    let profile = TemperatureProfile.compute(logits: logits, grid: grid)
    let chosen = profile.rows(Tensor([4, 1]))
    let direct = TemperatureProfile.compute(logits: logits.selected(0, indices: Tensor([4, 1])), grid: grid)
    #expect(chosen.value.floats == direct.value.floats && chosen.variance.floats == direct.variance.floats)
    #expect(TemperatureProfile.compute(logits: logits[0..<0], grid: grid).value.shape == [0, grid.count])
  }
}
