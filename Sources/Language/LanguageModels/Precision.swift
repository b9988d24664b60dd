import Torch

/// How a model computes: in which type its large products take their factors, and in which its branches go on.
struct Precision {
  /// Of the factors of the large products. The residual stream, norms and parameters keep the parameters' own,
  /// but for the factors in blocks of a frozen model.
  let arithmetic: DType
  /// Of what lies between the products. On a processor bfloat16 saves time in products alone, so everything else stays in
  /// float32 there; on a GPU it halves the traffic with memory too.
  let branches: DType

  init(_ arithmetic: DType, on device: Device) {
    self.arithmetic = arithmetic
    branches = device == .cpu && arithmetic == .bfloat16 ? .float32 : arithmetic
  }

  /// `x · weightᵀ + bias` for x [..., in] of the branches' type and a weight [out, in] of any.
  func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    if x.isFusible { return x.linear(weight, bias: bias, arithmetic: arithmetic) }
    return x.linear(weight.to(arithmetic), bias: bias?.to(arithmetic))
  }
}
