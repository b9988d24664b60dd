import Diagnostics
import ImageTextModels
import Torch

/// Rows of frozen towers, as the heads read them.
struct EmbeddedPairs: EncoderInputs {
  /// [versions · P, Di]: the pictures, then their augmented copies.
  private let image: Tensor
  /// [C, Dt].
  private let text: Tensor
  private let pictures: Int
  let versions: Int
  let mostAtOnce = Int.max

  /// - Throws: `Failure(.badData)` where the embeddings are in a joint space, or cannot be read.
  init(_ embeddings: EmbeddingsArtifact, usesCopies: Bool, device: Device) throws {
    guard embeddings.space == .apart else {
      throw Failure(
        .badData, "is a joint space already: heads are trained on the embeddings of two towers", at: embeddings.path)
    }
    let copies = usesCopies ? try embeddings.imageCopies() : nil
    let rows =
      copies.map { Tensor.concatenate([embeddings.image, $0.reshaped([-1, $0.size(2)])]) } ?? embeddings.image
    self.init(
      image: rows.to(device), text: embeddings.text.to(device), pictures: embeddings.table.pictures.count)
  }

  /// - Parameters:
  ///   - image: [versions · P, Di].
  ///   - text: [C, Dt].
  init(image: Tensor, text: Tensor, pictures: Int) {
    (self.image, self.text, self.pictures) = (image, text, pictures)
    versions = image.size(0) / pictures
  }

  func images(_ pairs: ArraySlice<PairBatch.Pair>, step: Int) -> Tensor {
    rows(image, pairs.map { $0.version * pictures + $0.picture })
  }

  func images(at positions: [Int]) -> Tensor { rows(image, positions) }

  func texts(at positions: [Int]) -> Tensor { rows(text, positions) }

  private func rows(_ table: Tensor, _ indices: [Int]) -> Tensor {
    table.selected(0, indices: Tensor(indices).to(table.device))
  }
}
