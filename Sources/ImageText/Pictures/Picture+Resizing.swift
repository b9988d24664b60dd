import Pairs
import Torch

extension Picture {
  public typealias Filter = Tensor.ResamplingFilter

  /// Scales to a size with antialiasing, as Pillow does, within one level: libtorch's operators on uint8, whose weights
  /// are Pillow's fixed-point ones.
  public func resized(width: Int, height: Int, filter: Filter = .bicubic) -> Picture {
    if (width, height) == (self.width, self.height) { return self }
    let pixels = Tensor(rgb, shape: [1, self.height, self.width, 3]).resized(
      width: width, height: height, filter: filter)
    return Picture(width: width, height: height, rgb: pixels.bytes)
  }

  /// The part of a picture that begins at (x, y).
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Picture {
    precondition(
      x >= 0 && y >= 0 && x + width <= self.width && y + height <= self.height, "a crop beyond the picture")
    var part: [UInt8] = []
    part.reserveCapacity(width * height * 3)
    for row in y..<y + height { part += rgb[((row * self.width + x) * 3)..<(row * self.width + x + width) * 3] }
    return Picture(width: width, height: height, rgb: part)
  }

  /// A square of `side` pixels.
  public func square(_ side: Int, _ fit: PictureFit, filter: Filter = .bicubic) -> Picture {
    let (short, long) = (min(width, height), max(width, height))
    switch fit {
    case .squash:
      return resized(width: side, height: side, filter: filter)
    case .crop:
      // torchvision's Resize and CenterCrop round so.
      let other = side * long / short
      let whole = resized(
        width: width <= height ? side : other, height: width <= height ? other : side, filter: filter)
      let x = Int((Double(whole.width - side) / 2).rounded(.toNearestOrEven))
      let y = Int((Double(whole.height - side) / 2).rounded(.toNearestOrEven))
      return whole.cropped(x: x, y: y, width: side, height: side)
    case .pad:
      let other = max(1, Int((Double(side * short) / Double(long)).rounded()))
      let whole = resized(
        width: width >= height ? side : other, height: width >= height ? other : side, filter: filter)
      return whole.padded(side)
    }
  }

  private func padded(_ side: Int) -> Picture {
    var square = [UInt8](repeating: 255, count: side * side * 3)
    let (left, top) = ((side - width) / 2, (side - height) / 2)
    for row in 0..<height {
      let start = ((top + row) * side + left) * 3
      square.replaceSubrange(start..<start + width * 3, with: rgb[(row * width * 3)..<(row + 1) * width * 3])
    }
    return Picture(width: side, height: side, rgb: square)
  }
}

extension Tensor {
  /// Scales pictures [B, H, W, 3] of uint8.
  func resized(width: Int, height: Int, filter: ResamplingFilter) -> Tensor {
    permuted(0, 3, 1, 2).resampled(height: height, width: width, filter: filter).permuted(0, 2, 3, 1).contiguous()
  }
}
