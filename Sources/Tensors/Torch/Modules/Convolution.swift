/// A convolution of pictures [B, in, H, W] by square kernels, in groups of channels that do not mix.
public struct Convolution: Module, Sendable {
  /// The border around a picture.
  public enum Padding: Sendable {
    case none
    /// TensorFlow's SAME: zeros, so that an output has ⌈size/stride⌉ rows and columns. An odd number of them has one more
    /// below and on the right.
    case same
  }

  /// [out, in/groups, size, size]
  public let weight: Tensor
  /// [out]
  public let bias: Tensor?
  public let stride: Int
  public let groups: Int
  public let padding: Padding

  public init(weight: Tensor, bias: Tensor?, stride: Int = 1, groups: Int = 1, padding: Padding = .none) {
    (self.weight, self.bias, self.stride, self.groups, self.padding) = (weight, bias, stride, groups, padding)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    Operator.one(
      "aten::conv2d", "",
      [
        .tensor(padded(x)), .tensor(weight), bias.map(Argument.tensor) ?? .none, .integers([stride, stride]),
        .integers([0, 0]), .integers([1, 1]), .integer(groups),
      ])
  }

  private func padded(_ x: Tensor) -> Tensor {
    guard padding == .same else { return x }
    func missing(_ length: Int) -> Int {
      max(0, ((length + stride - 1) / stride - 1) * stride + weight.size(-1) - length)
    }
    let (rows, columns) = (missing(x.size(-2)), missing(x.size(-1)))
    guard rows > 0 || columns > 0 else { return x }
    return Operator.one(
      "aten::constant_pad_nd", "",
      [.tensor(x), .integers([columns / 2, columns - columns / 2, rows / 2, rows - rows / 2]), .number(0)])
  }

  public var parameters: [NamedTensor] {
    [NamedTensor("weight", weight)] + (bias.map { [NamedTensor("bias", $0)] } ?? [])
  }
}
