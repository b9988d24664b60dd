import Foundation
import TemperatureSettings
import Testing
import Torch
import Weights

@testable import TempNet

/// Inputs, weights, outputs and gradients computed with the authors' own classes; see Fixtures/README.md.
@Suite struct ReferenceTests {
  struct Variant: Sendable, CustomTestStringConvertible {
    let file: String
    let settings: TempNetSettings
    var testDescription: String { file }
  }

  static let variants = [
    Variant(
      file: "lm_gpt2.safetensors",
      settings: TempNetSettings(vocabulary: 101, hidden: 16, tauMin: 0.5, tauMax: 5, rho: 3, input: .logits)),
    Variant(
      file: "lm_llama.safetensors",
      settings: TempNetSettings(vocabulary: 64, hidden: 32, tauMin: 0.01, tauMax: 2, rho: 2.5, input: .centred)),
  ]

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

  /// The reference's tensors, and a network with its weights that records gradients.
  private func open(_ variant: Variant) throws -> (SafetensorsFile, TemperatureNetwork) {
    let file = try SafetensorsFile("\(Self.folder)/\(variant.file)")
    func weight(_ name: String) throws -> Tensor { try Tensor(file.entry("weight.\(name)")).to(.float32) }
    let network = TemperatureNetwork(
      settings: variant.settings,
      transformation: Linear(weight: try weight("proj.0.weight"), bias: try weight("proj.0.bias")),
      projection: Linear(weight: try weight("proj.3.weight"), bias: try weight("proj.3.bias")),
      scaler: try weight("scaler"),
      last: Linear(weight: try weight("last.weight"), bias: try weight("last.bias")))
    network.requireGradients()
    return (file, network)
  }

  /// The largest difference, as a share of the largest magnitude in the reference.
  private func error(_ found: Tensor, _ file: SafetensorsFile, _ name: String) throws -> Double {
    let expected = try Tensor(file.entry(name)).doubles
    let found = found.doubles
    try #require(found.count == expected.count)
    let magnitude = expected.map(abs).max()!
    return zip(found, expected).map { abs($0 - $1) }.max()! / magnitude
  }

  @Test(arguments: variants)
  func `temperatures, losses and every gradient equal the published code's to 1e-5`(_ variant: Variant) throws {
    let (file, network) = try open(variant)
    let settings = variant.settings
    let logits = try Tensor(file.entry("logits")).requiringGradient()
    let rows = logits.reshaped([-1, settings.vocabulary])
    let labels = try Tensor(file.entry("labels")).reshaped([-1])

    let tau = network(rows)
    // A leaf of its own, so that the gradient at the temperature itself can be looked at.
    let leaf = tau.detached().requiringGradient()
    let loss = RobustLoss.perToken(logits: rows, labels: labels, tau: leaf, rho: settings.rho).mean()
    loss.backward()
    (tau * leaf.gradient!).sum().backward()

    let crossEntropy = RobustLoss.temperedCrossEntropy(logits: rows, labels: labels, tau: leaf).mean()
    #expect(try error(tau, file, "tau") < 1e-5)
    #expect(try error(loss, file, "loss") < 1e-5)
    #expect(try error(crossEntropy, file, "cross_entropy") < 1e-5)
    #expect(try error(logits.gradient!, file, "grad.logits") < 1e-5)
    #expect(try error(leaf.gradient!, file, "grad.tau") < 1e-5)
    for parameter in network.parameters {
      let deviation = try error(parameter.tensor.gradient!, file, "grad.\(parameter.name)")
      #expect(deviation < 1e-5, "\(parameter.name)")
    }
  }

  @Test(arguments: variants)
  func `no gradient flows through the network's input`(_ variant: Variant) throws {
    let (file, network) = try open(variant)
    let logits = try Tensor(file.entry("logits")).requiringGradient()
    network(logits).sum().backward()
    #expect(logits.gradient == nil)
  }

  @Test(arguments: variants)
  func `the published tensor names are the file's names, in the published shapes`(_ variant: Variant) throws {
    let (file, network) = try open(variant)
    for parameter in network.parameters {
      #expect(try file.entry("weight.\(parameter.name)").shape == parameter.tensor.shape)
    }
    #expect(network.parameters.count == 7)
  }
}
