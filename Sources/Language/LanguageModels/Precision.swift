import Torch

/// The types in which a model computes.
struct Precision {
  /// The type of the large products' factors. The residual stream, norms and parameters keep the parameters' type, except the
  /// factors in blocks of a frozen model.
  let arithmetic: DType
  /// The type of tensors between the products. On the CPU bfloat16 saves time in products only, so that the rest stays in
  /// float32; on a GPU it also halves the traffic with memory.
  let branches: DType

  init(_ arithmetic: DType, on device: Device) {
    self.arithmetic = arithmetic
    branches = device == .cpu && arithmetic == .bfloat16 ? .float32 : arithmetic
  }

  /// `x · weightᵀ + bias` for x [..., in] of the branches' type and a weight [out, in] of any type: [..., out].
  func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    if x.isFusible { return x.linear(weight, bias: bias, arithmetic: arithmetic) }
    return x.linear(weight.to(arithmetic), bias: bias?.to(arithmetic))
  }
}
