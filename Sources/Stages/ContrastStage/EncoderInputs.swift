import ImageTextModels
import Torch

/// What encoders read of pairs: embeddings of frozen towers, or pictures and captions themselves.
protocol EncoderInputs {
  /// Of each picture, itself among them.
  var versions: Int { get }
  /// The most pictures or captions that should be in memory at once.
  var mostAtOnce: Int { get }

  /// Pictures as training sees them in a step, which is a function of the seed, the step and their positions.
  func images(_ pairs: ArraySlice<PairBatch.Pair>, step: Int) -> Tensor
  /// Pictures themselves, by position.
  func images(at positions: [Int]) -> Tensor
  func texts(at positions: [Int]) -> Tensor
}

extension EncoderInputs {
  /// Unit rows of pictures by position, [positions, embed], without a record of operations.
  ///
  /// - Parameters:
  ///   - most: pictures at once, or fewer where memory asks for it.
  ///   - checkpoint: called before each part.
  /// - Throws: what `checkpoint` throws.
  func rows(
    ofImages positions: [Int], _ encoder: DualEncoder, computeType: DType, most: Int, checkpoint: () throws -> Void = {}
  ) throws -> Tensor {
    try rows(positions, most, checkpoint) { encoder.images(images(at: $0), computeType: computeType) }
  }

  /// The same of captions.
  func rows(
    ofTexts positions: [Int], _ encoder: DualEncoder, computeType: DType, most: Int, checkpoint: () throws -> Void = {}
  ) throws -> Tensor {
    try rows(positions, most, checkpoint) { encoder.texts(texts(at: $0), computeType: computeType) }
  }

  private func rows(
    _ positions: [Int], _ most: Int, _ checkpoint: () throws -> Void, _ embed: ([Int]) -> Tensor
  ) throws -> Tensor {
    let size = min(most, mostAtOnce)
    return .concatenate(
      try stride(from: 0, to: positions.count, by: size).map { first in
        try checkpoint()
        return withoutGradients { embed(Array(positions[first..<min(first + size, positions.count)])) }
      })
  }
}
