import Glibc

/// `x · weightᵀ + bias`.
public struct Linear: Module, Sendable {
  /// [out, in]
  public let weight: Tensor
  /// [out]
  public let bias: Tensor?

  public init(weight: Tensor, bias: Tensor?) {
    self.weight = weight
    self.bias = bias
  }

  /// PyTorch's default initialisation: weight and bias uniform in ±1/√in.
  public init(_ inputs: Int, _ outputs: Int, bias: Bool = true) {
    let bound = 1 / sqrt(Double(inputs))
    weight = .uniform([outputs, inputs], low: -bound, high: bound)
    self.bias = bias ? .uniform([outputs], low: -bound, high: bound) : nil
  }

  /// - Parameter computeType: of the product's factors; see `Tensor.linear`.
  public func callAsFunction(_ x: Tensor, computeType: DType = .float32) -> Tensor {
    x.linear(weight, bias: bias, computeType: computeType)
  }

  public var parameters: [NamedTensor] {
    [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
  }
}

/// `(x - mean) / √(variance + epsilon) · weight + bias` over the last dimension (Ba et al. 2016).
public struct LayerNorm: Module, Sendable {
  public let weight: Tensor
  public let bias: Tensor?
  public let epsilon: Double

  public init(weight: Tensor, bias: Tensor?, epsilon: Double) {
    self.weight = weight
    self.bias = bias
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Operator.one(
      "aten::layer_norm", "",
      [.tensor(x), .integers(weight.shape), .tensor(weight), bias.map(Argument.tensor) ?? .none, .number(epsilon)])
  }

  public var parameters: [NamedTensor] {
    [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
  }
}

/// `x / √(mean(x²) + epsilon) · weight` over the last dimension (Zhang & Sennrich 2019).
public struct RMSNorm: Module, Sendable {
  public let weight: Tensor
  public let epsilon: Double

  public init(weight: Tensor, epsilon: Double) {
    self.weight = weight
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    // On the CPU libtorch's own operator takes five passes over memory.
    x.isCPUFloat32 ? x.rmsNorm(weight, epsilon: epsilon) : reference(x)
  }

  func reference(_ x: Tensor) -> Tensor {
    Operator.one("aten::rms_norm", "", [.tensor(x), .integers(weight.shape), .tensor(weight), .number(epsilon)])
  }

  public var parameters: [NamedTensor] { [NamedTensor("weight", weight)] }
}
