import Torch

/// What a tower sees of stored pictures: their size and the range of their values.
public struct PictureTransform: Equatable, Sendable {
  /// The side, in pixels.
  public var size: Int
  /// Subtracted from values in 0...1, red, green, blue; then these are divided by `deviation`.
  public var mean: [Double]
  public var deviation: [Double]

  /// CLIP's values (open_clip `constants.py`).
  public static let clipMean = [0.481_454_66, 0.457_827_5, 0.408_210_73]
  public static let clipDeviation = [0.268_629_54, 0.261_302_58, 0.275_777_11]

  public init(size: Int, mean: [Double] = clipMean, deviation: [Double] = clipDeviation) {
    precondition(mean.count == 3 && deviation.count == 3 && size > 0)
    (self.size, self.mean, self.deviation) = (size, mean, deviation)
  }

  /// - Parameters:
  ///   - pixels: side x side x 3 bytes for each picture, as ``PairsArtifact/pixels(_:)`` gives them.
  ///   - augmentations: one for each picture; empty for none.
  /// - Returns: float32 [B, 3, size, size].
  public func callAsFunction(_ pixels: [UInt8], side: Int, _ augmentations: [PictureAugmentation] = []) -> Tensor {
    let count = pixels.count / (side * side * 3)
    precondition(augmentations.isEmpty || augmentations.count == count, "one augmentation for each picture is due")
    let whole = Tensor(pixels, shape: [count, side, side, 3])
    let seen =
      augmentations.isEmpty
      ? resized(whole)
      : Tensor.concatenate(
        augmentations.enumerated().map { row, augmentation in
          resized(augmentation.applied(to: whole.narrowed(0, row..<row + 1)))
        })
    let values = seen.to(.float32).permuted(0, 3, 1, 2) / 255
    return ((values - channels(mean)) / channels(deviation)).contiguous()
  }

  private func resized(_ pictures: Tensor) -> Tensor {
    pictures.size(1) == size && pictures.size(2) == size
      ? pictures : pictures.resized(width: size, height: size, filter: .bicubic)
  }

  private func channels(_ values: [Double]) -> Tensor { Tensor(values.map(Float.init), shape: [1, 3, 1, 1]) }
}
