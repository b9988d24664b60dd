import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Pairs
import Torch
import Weights

/// An `embeddings` artifact: one row of numbers for each picture and each caption of a table of pairs.
///
/// `Artifacts/FORMAT.md` describes the files.
public struct EmbeddingsArtifact: Sendable {
  public static let file = "embeddings.safetensors"
  public static let descriptionFile = "embeddings.json"

  public let artifact: Artifact
  public let table: PairTable
  public let description: EmbeddingsDescription
  /// Of pictures by their positions, float32 [P, Di].
  public let image: Tensor
  /// Of captions by their positions, float32 [C, Dt].
  public let text: Tensor
  /// Of the sentences of `description.prompts`, float32 [classes · templates, Dt], classes one after the other.
  public let classText: Tensor?
  /// How many augmented copies of each training picture are embedded.
  public let copies: Int
  private let stored: SafetensorsFile

  public var path: String { artifact.path }
  public var space: EmbeddingSpace { description.space }
  /// The factor between similarities and logits; nil for spaces apart.
  public var scale: Double? { space.scale?.value }

  /// Reads table and rows, on the CPU.
  ///
  /// - Throws: `Failure(.badData)` where a file, a tensor or its shape is not as it should be, a number is not finite, or
  ///   a row of a joint space has not unit length.
  public init(_ artifact: Artifact) throws {
    let path = try artifact.file(Self.descriptionFile)
    self.artifact = artifact
    table = try PairTable(artifact)
    description = try EmbeddingsDescription(
      JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    stored = try SafetensorsFile(artifact.file(Self.file))
    image = try stored.rows("image", table.pictures.count, description.image.width)
    text = try stored.rows("text", table.captions.count, description.text.width)
    if let prompts = description.prompts {
      guard prompts.classes.count == table.classes.count else {
        throw Failure(
          .badData, "states words for \(prompts.classes.count) classes of \(table.classes.count)", at: path)
      }
      classText = try stored.rows(
        "class_text", prompts.classes.count * prompts.templates.count, description.text.width)
    } else {
      classText = nil
    }
    copies = try Self.copies(in: stored, pictures: table.pictures.count)
    if space != .apart { try checkUnitRows() }
  }

  /// Of augmented copies of pictures, float32 [K, P, Di]; rows of pictures outside the training split are zero. Nil
  /// without copies.
  ///
  /// - Throws: as `init`.
  public func imageCopies() throws -> Tensor? {
    guard copies > 0 else { return nil }
    let (pictures, width) = (table.pictures.count, description.image.width)
    return try stored.rows("image_copies", copies * pictures, width).reshaped([copies, pictures, width])
  }

  private static func copies(in stored: SafetensorsFile, pictures: Int) throws -> Int {
    guard let entry = stored["image_copies"] else { return 0 }
    guard pictures > 0, let rows = entry.shape.first, rows > 0, rows % pictures == 0 else {
      throw Failure(.badData, "has shape \(entry.shape) for \(pictures) pictures", at: entry.place)
    }
    return rows / pictures
  }

  private func checkUnitRows() throws {
    for (name, rows) in [("image", image), ("text", text)] + (classText.map { [("class_text", $0)] } ?? []) {
      let lengths = rows.norm(1).floats
      guard let wrong = lengths.firstIndex(where: { abs($0 - 1) > 1e-3 }) else { continue }
      throw Failure(
        .badData, "row \(wrong) has length \(lengths[wrong]); in a joint space it has to be 1",
        at: "\(stored.path), \"\(name)\"")
    }
  }
}

extension SafetensorsFile {
  fileprivate func rows(_ name: String, _ count: Int, _ width: Int) throws -> Tensor {
    let entry = try entry(name, type: .float32, shape: [count, width])
    defer { entry.release() }
    let rows = try Tensor(entry)
    guard rows.allFinite().item == 1 else {
      throw Failure(.badData, "holds numbers that are not finite", at: entry.place)
    }
    return rows
  }
}

extension EmbeddingsArtifact {
  /// Refuses embeddings that a model's heads were not trained on.
  ///
  /// - Parameter model: its path, for messages.
  /// - Throws: `Failure(.badData)` for a joint space, and for other towers.
  public func check(towersOf heads: HeadsConfiguration, of model: String) throws {
    guard space == .apart else {
      throw Failure(
        .badData, "is in one space already; a model's heads read the embeddings of frozen towers", at: path)
    }
    let sides = [("pictures", heads.image, description.image), ("captions", heads.text, description.text)]
    for (side, wanted, found) in sides where wanted != found {
      throw Failure(
        .badData,
        "the \(side) were embedded by \(found.json.compact), but the heads of \(model) were trained on "
          + wanted.json.compact, at: path)
    }
  }
}
