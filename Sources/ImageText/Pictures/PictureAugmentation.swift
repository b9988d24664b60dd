import Glibc
import RandomNumbers
import Torch

/// A part of a picture, perhaps mirrored, that stands for the whole in one step of training.
public struct PictureAugmentation: Equatable, Sendable {
  public var x: Int
  public var y: Int
  public var width: Int
  public var height: Int
  public var isMirrored: Bool

  public init(x: Int, y: Int, width: Int, height: Int, isMirrored: Bool) {
    (self.x, self.y, self.width, self.height, self.isMirrored) = (x, y, width, height, isMirrored)
  }

  /// Draws a part whose area and shape lie in the ranges, as torchvision's `RandomResizedCrop`; the whole after ten
  /// parts that would lie beyond the picture.
  ///
  /// - Parameters:
  ///   - side: of the picture, in pixels.
  ///   - area: shares of the whole area.
  ///   - ratio: of width to height, uniform in its logarithm.
  ///   - mirrored: the probability to be mirrored.
  ///   - seed: of the draw, such as a function of (seed, step, position).
  public init(
    drawnFor side: Int, area: ClosedRange<Double>, ratio: ClosedRange<Double> = 3.0 / 4...4.0 / 3,
    mirrored: Double = 0.5, seed: UInt64
  ) {
    var random = SplitMix64(seed: seed)
    isMirrored = mirrored > 0 && Double.random(in: 0..<1, using: &random) < mirrored
    for _ in 0..<10 {
      let pixels = Double(side * side) * Double.random(in: area, using: &random)
      let shape = exp(Double.random(in: log(ratio.lowerBound)...log(ratio.upperBound), using: &random))
      let (width, height) = (Int((pixels * shape).squareRoot().rounded()), Int((pixels / shape).squareRoot().rounded()))
      if 1...side ~= width && 1...side ~= height {
        (self.width, self.height) = (width, height)
        x = random.index(below: side - width + 1)
        y = random.index(below: side - height + 1)
        return
      }
    }
    (x, y, width, height) = (0, 0, side, side)
  }

  /// - Parameter picture: uint8 [1, H, W, 3].
  func applied(to picture: Tensor) -> Tensor {
    let part = picture.narrowed(1, y..<y + height).narrowed(2, x..<x + width)
    return (isMirrored ? part.flipped(2) : part).contiguous()
  }
}
