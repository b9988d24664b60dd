import Diagnostics
import Glibc
import StageDescriptions
import TemperatureSettings
import Testing
import Torch

@testable import TempNet

@Suite struct TemperaturePolicyTests {
  private let own = TemperatureNetworkTests.network(seed: 2)
  private let other = TemperatureNetworkTests.network(seed: 3)

  private func policy(_ words: String, hasOwn: Bool = true) throws -> TemperaturePolicy? {
    let specification = try #require(PolicySpecification(words))
    return try TemperaturePolicy(specification, own: hasOwn ? own : nil, bounds: 0.5...2, vocabulary: 40) { path in
      #expect(path == "./other")
      return other
    }
  }

  @Test func `words stand for the policies that they name`() throws {
    var noise = Noise(5)
    let logits = noise.normal([20, 40]) * 3
    let expected: [(String, TemperaturePolicy)] = [
      ("0.7", .fixed(0.7)), ("exact:2", .exact(entropy: 2, bounds: 0.5...2)), ("model", .tempnet(own)),
      ("./other", .tempnet(other)), ("entropy-dynamic:1,1.5", .entropyDynamic(base: 1, theta: 1.5)),
      ("dynamic-range:0..2,0.5", .dynamicRange(0...2, exponent: 0.5)),
      ("entropy-levels:0.7,1.3,2", .entropyLevels(low: 0.7, high: 1.3, threshold: 2)),
      ("kl-ball:0.1", .divergenceBall(radius: 0.1)),
    ]
    for (words, expected) in expected {
      let made = try #require(try policy(words))
      #expect(made(logits).floats == expected(logits).floats)
    }
  }

  @Test func `exact alone is left to who knows its entropy`() throws {
    let isMade = try policy("exact") != nil
    #expect(!isMade)
  }

  @Test func `what a model cannot have is refused without a place`() {
    let beyond = #expect(throws: Failure.self) { try policy("exact:4") }
    #expect(beyond?.status == .badConfiguration && beyond?.place == nil)
    #expect(beyond?.message.hasPrefix("entropy 4.0 cannot be met with 40 logits") == true)
    let bare = #expect(throws: Failure.self) { try policy("model", hasOwn: false) }
    #expect(bare == Failure(.badConfiguration, "the model has no TempNet of its own"))
  }

  @Test func `each policy gives a temperature per row in the logits' type, and records nothing`() {
    let network = TemperatureNetworkTests.network()
    network.requireGradients()
    var noise = Noise(9)
    let logits = noise.normal([5, 40]) * 3
    let fixed = TemperaturePolicy.fixed(0.7)(logits)
    #expect(fixed.floats == [Float](repeating: 0.7, count: 5))
    let predicted = TemperaturePolicy.tempnet(network)(logits)
    #expect(predicted.floats == network(logits).floats && !predicted.requiresGradient)
    let exact = TemperaturePolicy.exact(entropy: 2, bounds: 0.1...3)(logits)
    #expect(exact.dtype == .float32)
    #expect(exact.floats == ExactTemperature.solve(logits: logits, entropy: 2, bounds: 0.1...3).floats)
  }

  @Test func `temperatures by entropy follow their formulas`() {
    // Entropies: ln 4, and that of 0.7, 0.1, 0.1, 0.1.
    let logits = Tensor([0, 0, 0, 0, log(7), 0, 0, 0] as [Double], shape: [2, 4])
    let second = -(0.7 * log(0.7) + 0.3 * log(0.1))
    let edt = TemperaturePolicy.entropyDynamic(base: 1.2, theta: 1.5)(logits).doubles
    #expect(abs(edt[0] - 1.2 * pow(0.8, 1.5 / log(4))) < 1e-12)
    #expect(abs(edt[1] - 1.2 * pow(0.8, 1.5 / second)) < 1e-12)
    let range = TemperaturePolicy.dynamicRange(0.4...1.6, exponent: 2)(logits).doubles
    #expect(abs(range[0] - 1.6) < 1e-12)
    #expect(abs(range[1] - (0.4 + 1.2 * pow(second / log(4), 2))) < 1e-12)
  }

  @Test func `two levels part at the threshold`() {
    let logits = Tensor([0, 0, 0, 0, log(7), 0, 0, 0] as [Double], shape: [2, 4])
    let low = -(0.7 * log(0.7) + 0.3 * log(0.1))
    let policy = TemperaturePolicy.entropyLevels(low: 0.7, high: 1.3, threshold: (low + log(4)) / 2)
    #expect(policy(logits).doubles == [1.3, 0.7])
    // The entropy of the first row is the threshold itself, and does not exceed it.
    #expect(TemperaturePolicy.entropyLevels(low: 0.7, high: 1.3, threshold: log(4) + 1e-12)(logits).doubles[0] == 0.7)
  }

  @Test func `a ball around the model's distribution is filled to its radius, or to the uniform distribution`() {
    var noise = Noise(11)
    let logits = noise.normal([30, 50]) * 4
    for radius in [0.001, 0.1, 1.0] {
      let tau = TemperaturePolicy.divergenceBall(radius: radius)(logits.to(.float64)).doubles
      let rows = logits.floats.map(Double.init)
      for (row, tau) in tau.enumerated() {
        let own = rows[row * 50..<(row + 1) * 50]
        let divergence = Self.divergence(own.map { $0 / tau }, own.map { $0 })
        let most = Self.divergence([Double](repeating: 0, count: 50), own.map { $0 })
        #expect(tau >= 1 && (abs(divergence - radius) < 1e-7 || most < radius && tau == 1e4))
      }
    }
  }

  @Test func `no distribution in the ball is more uncertain`() {
    // A change of the found distribution along any direction that keeps its sum and does not leave the ball loses entropy.
    let logits = [2.0, 1, 0.5, 0, -1]
    let tau = TemperaturePolicy.divergenceBall(radius: 0.05)(Tensor(logits, shape: [1, 5])).item
    let (p, q) = (Self.softmax(logits), Self.softmax(logits.map { $0 / tau }))
    func divergence(_ q: [Double]) -> Double { zip(q, p).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) } }
    func entropy(_ q: [Double]) -> Double { q.reduce(0) { $0 - $1 * log($1) } }
    var noise = Noise(13)
    var tried = 0
    for direction in (0..<500).map({ _ in noise.normal([5]).floats.map(Double.init) }) {
      let mean = direction.reduce(0, +) / 5
      let other = zip(q, direction).map { $0 + 1e-3 * ($1 - mean) }
      guard divergence(other) <= 0.05 else { continue }
      tried += 1
      #expect(entropy(other) < entropy(q))
    }
    #expect(tried > 50)
  }

  private static func softmax(_ logits: [Double]) -> [Double] {
    let weights = logits.map { exp($0 - logits.max()!) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// KL of softmax of the first from that of the second.
  private static func divergence(_ q: [Double], _ p: [Double]) -> Double {
    zip(softmax(q), softmax(p)).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
  }

  @Test func `a sure model gets the least temperature by entropy, not NaN`() {
    let logits = Tensor([0, -1000, -1000] as [Float], shape: [1, 3])
    #expect(TemperaturePolicy.entropyDynamic(base: 1, theta: 1.5)(logits).item == Double(Float(1e-3)))
    #expect(abs(TemperaturePolicy.dynamicRange(0.5...2, exponent: 1)(logits).item - 0.5) < 1e-6)
    #expect(TemperaturePolicy.dynamicRange(0...2, exponent: 1)(logits).item == Double(Float(1e-4)))
    #expect(TemperaturePolicy.divergenceBall(radius: 0.1)(logits).item.isFinite)
    #expect(
      abs(TemperaturePolicy.dynamicRange(0.5...2, exponent: 1)(Tensor([3] as [Float], shape: [1, 1])).item - 0.5) < 1e-6
    )
  }
}
