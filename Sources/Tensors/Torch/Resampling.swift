extension Tensor {
  /// The filters of ``resampled(height:width:filter:)``.
  public enum ResamplingFilter: Sendable {
    case bicubic, bilinear
  }

  /// Scales the last two dimensions of pictures [B, C, H, W] with antialiasing.
  ///
  /// On uint8 with channels last in memory, the weights are those of Pillow in fixed point.
  public func resampled(height: Int, width: Int, filter: ResamplingFilter) -> Tensor {
    let arguments: [Argument] = [.tensor(self), .integers([height, width]), .flag(false), .none, .none]
    return switch filter {
    case .bicubic: Operator.one("aten::_upsample_bicubic2d_aa", "", arguments)
    case .bilinear: Operator.one("aten::_upsample_bilinear2d_aa", "", arguments)
    }
  }

  /// The dimensions in another order.
  public func permuted(_ order: Int...) -> Tensor {
    Operator.one("aten::permute", "", [.tensor(self), .integers(order)])
  }
}
