import Diagnostics
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@testable import TempNet

@Suite struct EmbeddingTemperatureNetworkTests {
  private static func settings(_ form: EmbeddingTempNetSettings.Form) -> EmbeddingTempNetSettings {
    EmbeddingTempNetSettings(form: form, width: 16, units: 8, tauMin: 0.01, tauMax: 0.2, rho: 2.5, dropout: 0.25)
  }

  /// A network whose every weight matters.
  private static func network(
    _ form: EmbeddingTempNetSettings.Form, seed: UInt64 = 3
  ) -> EmbeddingTemperatureNetwork {
    var noise = Noise(seed)
    let settings = settings(form)
    let hidden = form == .prototypes ? settings.width : settings.units
    return EmbeddingTemperatureNetwork(
      settings: settings,
      projection: Linear(weight: noise.normal([hidden, settings.width]), bias: noise.normal([hidden])),
      pool: form == .prototypes
        ? EmbeddingTemperatureNetwork.Pool(
          scaler: noise.normal([]), prototypes: noise.normal([settings.units, settings.width])) : nil,
      last: Linear(weight: noise.normal([1, settings.units]), bias: noise.normal([1])))
  }

  private static func rows(_ count: Int, seed: UInt64 = 5) -> Tensor {
    var noise = Noise(seed)
    return (noise.normal([count, 16]) + 2).unitRows()
  }

  @Test(arguments: EmbeddingTempNetSettings.Form.allCases)
  func `a file gives both sides' networks and their settings back`(form: EmbeddingTempNetSettings.Form) throws {
    let folder = try TemporaryFolder()
    let path = folder(EmbeddingTempNetFile.name)
    let networks = [EmbeddingSide.image: Self.network(form), .text: Self.network(form, seed: 4)]
    try EmbeddingTempNetFile.write(EmbeddingSide.allCases.map { ($0, networks[$0]!) }, to: path)
    for side in EmbeddingSide.allCases {
      let read = try EmbeddingTempNetFile.read(path, side: side)
      #expect(read.settings == Self.settings(form))
      #expect(read(Self.rows(9)).floats == networks[side]!(Self.rows(9)).floats)
    }
  }

  @Test func `a file of one side does not pass for the other's`() throws {
    let folder = try TemporaryFolder()
    let path = folder("one.safetensors")
    try EmbeddingTempNetFile.write([(.text, Self.network(.layers))], to: path)
    let failure = #expect(throws: Failure.self) { try EmbeddingTempNetFile.read(path, side: .image) }
    #expect(failure?.status == .badData && "\(failure!)".contains("image_temp_gen"))
  }

  @Test func `a TempNet of logits is refused as one of embeddings`() throws {
    let folder = try TemporaryFolder()
    try TemperatureNetworkTests.network().save(folder("tempnet.safetensors"))
    let failure = #expect(throws: Failure.self) {
      try EmbeddingTempNetFile.read(folder("tempnet.safetensors"), side: .image)
    }
    #expect(failure?.status == .badData && "\(failure!)".contains("reads no embeddings"))
  }

  @Test func `other bounds give temperatures in other units`() {
    let network = Self.network(.prototypes)
    var settings = network.settings
    (settings.tauMin, settings.tauMax) = (settings.tauMin / 20, settings.tauMax / 20)
    for (a, b) in zip(network(Self.rows(9)).floats, network.with(settings)(Self.rows(9)).floats) {
      #expect(abs(a - 20 * b) < 1e-6)
    }
  }

  @Test(arguments: EmbeddingTempNetSettings.Form.allCases)
  func `standardised coordinates tell rows of one common direction apart`(form: EmbeddingTempNetSettings.Form) {
    func spread(_ coordinates: TempNetCoordinates) -> Double {
      TorchRuntime.seed(11)
      let joint = JointEmbeddingNetwork(EmbeddingTemperatureNetwork(Self.settings(form)), coordinates: coordinates)
      joint.updateMoments(Self.rows(200), step: 0)
      let tau = joint(Self.rows(200), training: false).to(.float64)
      return (tau - tau.mean()).square().mean().sqrt().item
    }
    #expect(spread(.standardised) > 3 * spread(.published))
  }

  @Test func `the mean of the inputs moves with the steps`() {
    let joint = JointEmbeddingNetwork(Self.network(.layers), coordinates: .standardised)
    joint.updateMoments(Self.rows(50), step: 0)
    let first = joint.buffers[0].tensor.floats
    for (a, b) in zip(first, Self.rows(50).mean(0).floats) { #expect(abs(a - b) < 1e-6) }
    joint.updateMoments(-Self.rows(50), step: 1)
    #expect(joint.buffers[0].tensor.floats.allSatisfy { abs($0) < 1e-6 })
    #expect(JointEmbeddingNetwork(Self.network(.layers), coordinates: .published).buffers.isEmpty)
  }
}
