import Diagnostics
import Foundation
import Statistics
import TemperatureSettings
import Testing
import Torch

@testable import TempNet

/// Figures from records against those from the logits themselves.
@Suite struct RecordsTests {
  private static let (count, width, vocabulary) = (10_240, 12, 384)
  private let hidden: Tensor
  private let weight: Tensor
  private let labels: Tensor
  private let records: TokenRecords

  /// Rows from nearly flat to certain.
  init() {
    TorchRuntime.seed(7)
    let scales = Tensor((0..<Self.count).map { Float($0 % 40) * 0.1 + 0.05 })
    hidden = Tensor.normal([Self.count, Self.width]) * scales.unsqueezed(1)
    weight = Tensor.normal([Self.vocabulary, Self.width])
    let logits = hidden.linear(weight)
    // Drawn from the model, so that likely and unlikely labels occur.
    let noise = -(-Tensor.uniform(logits.shape, low: 1e-7, high: 1).log()).log()
    labels = (logits + noise).argmax(-1)
    let grid = RecordGrid.grid(for: 0.1...5, nodesPerOctave: 16)
    records = TokenRecorder(weight: weight, grid: grid)(hidden: hidden, labels: labels)
  }

  private var logits: Tensor { hidden.linear(weight) }

  /// -ln p_y, max p and Σ (p - [y])² in float64, by their definitions.
  private func direct(_ tau: Tensor) -> (crossEntropy: Tensor, confidence: Tensor, brier: Tensor) {
    let logits = logits.to(.float64) / tau.to(.float64).unsqueezed(1)
    let shifted = logits - logits.maximum(-1, keeping: true)
    let log = shifted - shifted.exp().sum(-1, keeping: true).log()
    let p = log.exp()
    let right = log.gathered(-1, labels.unsqueezed(-1)).squeezed(-1)
    return (-right, p.maximum(-1), p.square().sum(-1) - right.exp() * 2 + 1)
  }

  private func mean(_ values: Tensor) -> Double { values.to(.float64).mean().item }

  @Test(arguments: [0.1, 0.13, 0.5, 0.97, 1, 1.7, 5])
  func `means over ten thousand tokens are those of the logits to 1e-6`(tau: Double) throws {
    let temperatures = Tensor.full([Self.count], tau, dtype: .float64)
    let (found, expected) = (try RecordedPrediction(records, tau: temperatures), direct(temperatures))
    // Cross-entropies are of the order of 1/τ.
    #expect(abs(mean(found.crossEntropy) - mean(expected.crossEntropy)) < 1e-6 / min(1, tau))
    #expect(abs(mean(found.confidence) - mean(expected.confidence)) < 1e-6)
    #expect(abs(mean(found.brier) - mean(expected.brier)) < 1e-6)
  }

  @Test(arguments: [0.5, 1, 1.7])
  func `calibration errors are those of the logits to 1e-4`(tau: Double) throws {
    let temperatures = Tensor.full([Self.count], tau, dtype: .float64)
    func error(_ confidence: Tensor) -> Double {
      Calibration(confidence: confidence.floats, isCorrect: records.isCorrect.to(.int64).integers.map { $0 == 1 })
        .expectedError
    }
    let found = try RecordedPrediction(records, tau: temperatures).confidence
    #expect(abs(error(found) - error(direct(temperatures).confidence)) < 1e-4)
  }

  @Test func `entropies and likeliest tokens are those of the logits`() {
    let expected = TemperedStatistics.reference(logits: logits.to(.float64), tau: .ones([Self.count]))
    #expect(abs(mean(records.entropy) - mean(expected.entropy)) < 1e-6)
    #expect(records.isCorrect.to(.int64).integers == logits.argmax(-1).equal(labels).to(.int64).integers)
  }

  @Test(
    arguments: [
      TemperaturePolicy.fixed(0.7), .exact(entropy: 2.5, bounds: 0.2...3), .entropyDynamic(base: 1, theta: 0.5),
      .dynamicRange(0.5...1.5, exponent: 2), .entropyLevels(low: 0.5, high: 1.5, threshold: 2),
      .divergenceBall(radius: 0.05),
    ])
  func `policies have the temperatures that they have for logits`(policy: TemperaturePolicy) throws {
    let found = try RecordedPolicies([policy], head: nil)(records)[0].floats
    // Records answer no temperature beyond their own.
    let expected = policy(logits).clamped(0, RecordGrid.bounds(of: records.profile.grid).upperBound).floats
    // Formulas in an entropy near 0 enlarge its error.
    let differing = zip(found, expected).filter { found, expected in abs(log(Double(found / expected))) > 2e-3 }
    // A row may lie on the other side of an entropy threshold.
    #expect(differing.count <= (policy.isStepwise ? 2 : 0))
  }

  @Test(arguments: TempNetSettings.Input.allCases)
  func `TempNets have the temperatures that they have for logits`(input: TempNetSettings.Input) throws {
    let network = TemperatureNetwork(
      TempNetSettings(
        vocabulary: Self.vocabulary, hidden: 8, tauMin: 0.2, tauMax: 3, rho: 2, input: input,
        width: input == .hidden ? Self.width : nil))
    for parameter in network.parameters { parameter.tensor.add(.normal(parameter.tensor.shape) * 0.3) }
    let found = try RecordedPolicies([.tempnet(network)], head: (weight, nil))(records)[0]
    let expected = withoutGradients { network(logits, hidden: hidden) }
    #expect((found - expected).abs().maximum(0).item < 1e-4)
    #expect(mean(expected.to(.float64).square()) - mean(expected) * mean(expected) > 1e-5)
    let failure = #expect(throws: Failure.self) { try RecordedPolicies([.tempnet(network)], head: nil) }
    #expect(failure?.status == .badConfiguration && failure?.message.contains("hidden=true") == true)
  }

  @Test func `temperatures beyond the grid are refused, unless the prediction is certain`() throws {
    for tau in [0.09, 5.3] {
      let failure = #expect(throws: Failure.self) {
        try RecordedPrediction(records, tau: .full([Self.count], tau, dtype: .float64))
      }
      #expect(failure?.status == .badConfiguration && failure?.message.contains("\(tau)") == true)
    }
    // One logit far above all others: no temperature below makes a difference.
    let certain = TokenRecorder(weight: Tensor([40, 0, -1] as [Float], shape: [3, 1]), grid: records.profile.grid)(
      hidden: .ones([2, 1]), labels: Tensor([0, 1] as [Int64]))
    let found = try RecordedPrediction(certain, tau: .full([2], 0.001, dtype: .float64))
    #expect(found.crossEntropy.doubles[0] == 0 && abs(found.crossEntropy.doubles[1] - 40_000) < 1e-3)
    #expect(found.confidence.doubles == [1, 1] && found.brier.doubles == [0, 2])
  }
}

extension TemperaturePolicy {
  fileprivate var isStepwise: Bool { if case .entropyLevels = self { true } else { false } }
}
