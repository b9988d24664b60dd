import Torch

/// The types in which a model computes.
struct Precision {
  /// The type of the large products' factors. The residual stream, norms and parameters keep the parameters' type, except the
  /// factors in blocks of a frozen model.
  let computeType: DType
  /// The type of tensors between the products. On the CPU bfloat16 saves time in products only, so that the rest stays in
  /// float32; on a GPU it also halves the traffic with memory.
  let branches: DType

  init(_ computeType: DType, on device: Device) {
    self.computeType = computeType
    branches = device == .cpu && computeType == .bfloat16 ? .float32 : computeType
  }

  /// `x · weightᵀ + bias` for x [..., in] of the branches' type and a weight [out, in] of any type: [..., out].
  func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    if x.isCPUFloat32 { return x.linear(weight, bias: bias, computeType: computeType) }
    return x.linear(weight.to(computeType), bias: bias?.to(computeType))
  }
}
