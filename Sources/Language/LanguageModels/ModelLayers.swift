import ModelDescriptions
import Torch

/// A layer or RMS norm; computed in the residual stream's precision.
enum NormLayer {
  case layer(LayerNorm)
  case rms(RMSNorm)

  init(_ name: String, _ configuration: ModelConfiguration, _ parameters: ParameterTable) {
    let weight = parameters["\(name).weight"]
    switch configuration.norm {
    case .layer:
      self = .layer(
        LayerNorm(weight: weight, bias: parameters.ifPresent("\(name).bias"), epsilon: configuration.normEpsilon))
    case .rms: self = .rms(RMSNorm(weight: weight, epsilon: configuration.normEpsilon))
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .layer(let norm): norm(x)
    case .rms(let norm): norm(x)
    }
  }
}

/// A linear layer in the model's precision, for weights of any type.
struct Projection {
  private let weight: Tensor
  private let bias: Tensor?
  private let precision: Precision

  init(_ name: String, _ parameters: ParameterTable, _ precision: Precision) {
    weight = parameters["\(name).weight"]
    bias = parameters.ifPresent("\(name).bias")
    self.precision = precision
  }

  func callAsFunction(_ x: Tensor) -> Tensor { precision.linear(x, weight, bias: bias) }
}

/// Parameters by name, for building a model.
struct ParameterTable {
  private let tensors: [String: Tensor]

  init(_ parameters: [NamedTensor]) {
    tensors = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.tensor) })
  }

  func ifPresent(_ name: String) -> Tensor? { tensors[name] }

  subscript(name: String) -> Tensor {
    guard let tensor = tensors[name] else { preconditionFailure("the configuration calls for no \(name)") }
    return tensor
  }
}
