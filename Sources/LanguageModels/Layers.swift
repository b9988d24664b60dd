import Torch

/// A layer or RMS norm; computed in the residual stream's precision.
enum Norm {
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

/// A linear layer that computes in its input's precision whatever the precision of its weights.
struct Projection {
  let weight: Tensor
  let bias: Tensor?

  init(_ name: String, _ parameters: ParameterTable) {
    weight = parameters["\(name).weight"]
    bias = parameters.ifPresent("\(name).bias")
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let dtype = x.dtype
    return x.linear(weight.to(dtype), bias: bias?.to(dtype))
  }
}

/// Parameters by name, while a model is put together from them.
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
