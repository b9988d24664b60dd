import Artifacts
import EncoderDescriptions
import Files
import Pairs
import Torch
import Weights

/// Writes an `embeddings` artifact row by row, so that an interrupted pass can go on.
public final class EmbeddingsWriter {
  /// The tensors of the file.
  public enum Part: String {
    case image, text
    /// Copy k of the picture at position p is row k · P + p.
    case imageCopies = "image_copies"
    case classText = "class_text"
  }

  private let rows: SafetensorsStreamWriter

  /// Writes table and description and opens the file of rows.
  ///
  /// - Parameters:
  ///   - copies: augmented copies of each training picture.
  ///   - isContinued: whether an earlier run has written rows that stay.
  public init(
    _ builder: ArtifactBuilder, _ table: PairTable, _ description: EmbeddingsDescription, copies: Int = 0,
    isContinued: Bool = false
  ) throws {
    try table.write(builder)
    try AtomicFile.write(description.json.pretty, to: builder.path(for: EmbeddingsArtifact.descriptionFile))
    let path = try builder.path(for: EmbeddingsArtifact.file)
    let tensors = Self.tensors(table, description, copies)
    rows =
      isContinued
      ? try SafetensorsStreamWriter(continuing: path, tensors: tensors)
      : try SafetensorsStreamWriter(creating: path, tensors: tensors)
  }

  private static func tensors(
    _ table: PairTable, _ description: EmbeddingsDescription, _ copies: Int
  ) -> [TensorDescription] {
    let (images, texts) = (description.image.width, description.text.width)
    func rows(_ part: Part, _ count: Int, _ width: Int) -> TensorDescription {
      TensorDescription(part.rawValue, .float32, [count, width])
    }
    var tensors = [rows(.image, table.pictures.count, images), rows(.text, table.captions.count, texts)]
    if copies > 0 { tensors.append(rows(.imageCopies, copies * table.pictures.count, images)) }
    if let prompts = description.prompts { tensors.append(rows(.classText, prompts.sentences.count, texts)) }
    return tensors
  }

  /// Writes consecutive rows, float32 [N, width].
  public func write(_ embeddings: Tensor, of part: Part, at row: Int) throws {
    try rows.write(rows: embeddings, of: part.rawValue, at: row)
  }

  /// Returns when all rows so far are on the disk.
  public func synchronise() throws { try rows.synchronise() }

  public func finish() throws { try rows.finish() }
}

extension EmbeddingsArtifact {
  /// Writes whole tensors at once.
  ///
  /// - Parameters:
  ///   - image: float32 [P, Di].
  ///   - text: float32 [C, Dt].
  ///   - imageCopies: float32 [K, P, Di].
  ///   - classText: float32 [classes · templates, Dt].
  public static func write(
    _ builder: ArtifactBuilder, _ table: PairTable, _ description: EmbeddingsDescription, image: Tensor, text: Tensor,
    imageCopies: Tensor? = nil, classText: Tensor? = nil
  ) throws {
    let writer = try EmbeddingsWriter(builder, table, description, copies: imageCopies?.size(0) ?? 0)
    try writer.write(image, of: .image, at: 0)
    try writer.write(text, of: .text, at: 0)
    if let imageCopies {
      try writer.write(imageCopies.reshaped([-1, imageCopies.size(2)]), of: .imageCopies, at: 0)
    }
    if let classText { try writer.write(classText, of: .classText, at: 0) }
    try writer.finish()
  }
}
