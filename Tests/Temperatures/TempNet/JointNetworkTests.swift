import TemperatureSettings
import Testing
import Torch

@testable import TempNet

@Suite struct JointNetworkTests {
  private static func settings(_ input: TempNetSettings.Input) -> TempNetSettings {
    TempNetSettings(
      vocabulary: 40, hidden: 16, tauMin: 0.05, tauMax: 2, rho: 1, input: input, width: input == .hidden ? 6 : nil,
      dropout: 0)
  }

  /// Rows as far from the origin, in one direction, as those of a language model.
  private static func inputs(_ count: Int, _ noise: inout Noise) -> (logits: Tensor, hidden: Tensor) {
    let offset = Tensor.arange(40).to(.float64) / 10
    return (noise.normal([count, 40]).to(.float64) + offset, noise.normal([count, 6]).to(.float64))
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `moments are averages over the steps, later over the last hundred or so`(input: TempNetSettings.Input) {
    let raw = TemperatureNetworkTests.network(Self.settings(input), dtype: .float64)
    let network = JointNetwork(raw, coordinates: .standardised)
    var noise = Noise(3)
    var (means, squares): ([[Double]], [[Double]]) = ([], [])
    for step in 0..<120 {
      let (logits, hidden) = Self.inputs(5, &noise)
      network.updateMoments(logits, hidden: hidden, step: step)
      means.append(raw.input(logits, hidden: hidden).mean(0).doubles)
      squares.append(raw.input(logits, hidden: hidden).square().mean(0).doubles)
      guard [0, 2, 99, 119].contains(step) else { continue }
      let found = network.buffers[0].tensor.doubles
      for column in found.indices {
        #expect(abs(found[column] - Self.average(means, column)) < 1e-12, "column \(column) at step \(step)")
      }
      for (index, variance) in (input == .scaled ? network.buffers[1].tensor.doubles : []).enumerated() {
        let mean = Self.average(means, 40 + index)
        #expect(abs(variance - (Self.average(squares, 40 + index) - mean * mean)) < 1e-9, "scale \(index) at \(step)")
      }
    }
    #expect(network.buffers.count == (input == .scaled ? 2 : 1))
  }

  /// Of a hundred steps alike, then with a hundredth for each further one.
  private static func average(_ steps: [[Double]], _ column: Int) -> Double {
    let first = steps.prefix(100).map { $0[column] }.reduce(0, +) / Double(min(100, steps.count))
    return steps.dropFirst(100).reduce(first) { 0.99 * $0 + 0.01 * $1[column] }
  }

  @Test func `fresh networks are standardised by what they see`() {
    let raw = TemperatureNetworkTests.network(Self.settings(.scaled), dtype: .float64)
    let network = JointNetwork(raw, coordinates: .standardised)
    var noise = Noise(4)
    let (logits, hidden) = Self.inputs(200, &noise)
    network.updateMoments(logits, hidden: hidden, step: 0)
    let inputs = raw.input(logits, hidden: nil)
    let moments = InputMoments(mean: inputs.narrowed(1, 0..<40).mean(0), scales: inputs.narrowed(1, 40..<42))
    let expected = StandardisedNetwork(raw, moments).published(logits).doubles
    for (a, b) in zip(network.published(logits).doubles, expected) { #expect(abs(a - b) < 1e-12) }
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `a network that was trained before begins as what it is`(input: TempNetSettings.Input) {
    let raw = TemperatureNetworkTests.network(Self.settings(input), dtype: .float64)
    raw.requireGradients()
    let network = JointNetwork(raw, coordinates: .standardised, isTrained: true)
    var noise = Noise(5)
    let (logits, hidden) = Self.inputs(30, &noise)
    let before = raw(logits, hidden: hidden).doubles
    for step in 0..<3 {
      let (logits, hidden) = Self.inputs(30, &noise)
      network.updateMoments(logits, hidden: hidden, step: step)
    }
    let after = network.published(logits, hidden: hidden).doubles
    for (a, b) in zip(before, after) { #expect(abs(a - b) < 1e-10) }
    #expect(raw(logits, hidden: hidden).doubles != before, "its weights are those of other coordinates")
  }

  @Test func `where a first step shows nothing, a network that was trained before is still what it is`() {
    let raw = TemperatureNetworkTests.network(Self.settings(.logits), dtype: .float64)
    let network = JointNetwork(raw, coordinates: .standardised, isTrained: true)
    var noise = Noise(7)
    let (logits, hidden) = Self.inputs(9, &noise)
    let before = raw(logits).doubles
    network.updateMoments(logits[0..<0], hidden: hidden[0..<0], step: 0)
    network.updateMoments(logits, hidden: hidden, step: 1)
    for (a, b) in zip(before, network.published(logits).doubles) { #expect(abs(a - b) < 1e-10) }
  }

  @Test func `published coordinates are left alone`() {
    let raw = TemperatureNetworkTests.network(Self.settings(.logits), dtype: .float64)
    let network = JointNetwork(raw, coordinates: .published)
    var noise = Noise(6)
    let (logits, hidden) = Self.inputs(9, &noise)
    let before = raw(logits).doubles
    network.updateMoments(logits, hidden: hidden, step: 0)
    #expect(network.published(logits).doubles == before)
    #expect(network.buffers.isEmpty)
  }
}
