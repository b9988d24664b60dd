import Foundation
import TempNet
import TemperatureSettings
import TestSupport
import Testing
import Torch
import Weights

@testable import ContrastiveLosses

/// Tensors of a fixture by their names.
struct Fixture {
  let file: SafetensorsFile
  let prefix: String

  init(_ name: String, prefix: String = "") throws {
    file = try SafetensorsFile(fixture("\(name).safetensors"))
    self.prefix = prefix
  }

  func tensor(_ name: String) throws -> Tensor { try Tensor(file.entry(prefix + name)) }

  /// The weights of a side's TempNet, which record gradients.
  func network(
    _ side: EmbeddingSide, _ settings: EmbeddingTempNetSettings, dtype: DType
  ) throws -> EmbeddingTemperatureNetwork {
    func weight(_ name: String) throws -> Tensor {
      try tensor("weight.\(EmbeddingTempNetFile.prefix(side)).\(name)").to(dtype)
    }
    func layer(_ name: String) throws -> Linear {
      Linear(weight: try weight("\(name).weight"), bias: try weight("\(name).bias"))
    }
    let network = EmbeddingTemperatureNetwork(
      settings: settings, projection: try layer("proj"),
      pool: settings.form == .prototypes
        ? EmbeddingTemperatureNetwork.Pool(scaler: try weight("scaler"), prototypes: try weight("prototypes")) : nil,
      last: try layer("linear_1"))
    network.requireGradients()
    return network
  }
}

/// Expects two tensors to agree within a share of max(1, the tensor's maximum).
func expectClose(
  _ ours: Tensor, _ theirs: Tensor, _ name: String, within tolerance: Double = 1e-5,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let (a, b) = (ours.doubles, theirs.doubles)
  #expect(a.count == b.count, "\(name)", sourceLocation: sourceLocation)
  let difference = zip(a, b).map { abs($0 - $1) }.max() ?? 0
  let size = max(1, b.map { abs($0) }.max() ?? 0)
  #expect(
    difference <= tolerance * size, "\(name): \(difference / size)",
    sourceLocation: sourceLocation)
}
