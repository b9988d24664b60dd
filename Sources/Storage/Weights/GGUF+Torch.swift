import ModelFiles
import Torch

extension Tensor {
  /// A new float32 tensor on the CPU with the numbers of a stored one.
  public init(_ tensor: GGUFTensor) {
    self = tensor.floats.withUnsafeBytes { Tensor(bytes: $0, dtype: .float32, shape: tensor.shape) }
  }
}
