import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import StageDescriptions
import TempNet
import Torch

/// Heads on frozen towers: their weights with a module that applies them, or ONNX models with the towers or without.
struct HeadsForm: DualEncoderForm {
  static let weightsName = "heads.safetensors"
  static let configurationName = "config.json"

  private let source: DualEncoderSource
  private let heads: HeadsConfiguration
  private let towers: Towers?

  private struct Towers {
    let image: FrozenImageTower
    let text: FrozenTextTower
    let tokenizerPath: String
  }

  /// - Throws: `.badData` where towers were given that are not those of the heads.
  init(_ source: DualEncoderSource, _ heads: HeadsConfiguration, _ request: StageRequest<Export>) throws {
    (self.source, self.heads) = (source, heads)
    guard let image = request.configuration.imageTower, let text = request.configuration.textTower else {
      towers = nil
      return
    }
    for (side, record, folder) in [
      (FrozenTowerInputs.image, heads.image, image), (.text, heads.text, text),
    ] {
      guard record.digest == request.digest(of: side) else {
        let tower = record.digest.map { "\"\(record.name)\" of the digest \($0)" } ?? "no tower whose files are known"
        throw Failure(
          .badData, "is not the tower below the heads of \(source.artifact.path), which read \(tower)", at: folder)
      }
    }
    guard let size = heads.image.size else {
      throw Failure(.badData, "states no size of the pictures that its tower reads", at: source.artifact.path)
    }
    towers = Towers(
      image: try FrozenImageTower(image, size: size, device: .cpu),
      text: try FrozenTextTower(text, limit: nil, device: .cpu, computeType: .float32),
      tokenizerPath: "\(text)/\(TowerFiles.tokenizer)")
  }

  func files(_ format: ExportConfiguration.Format) throws -> DualEncoderContent {
    switch format {
    case .safetensors: return DualEncoderContent(files: try weights + tempnets + DualEncoderSource.modules, use: numpy)
    case .onnx: return DualEncoderContent(files: models, use: runtime)
    case .bundle:
      return DualEncoderContent(files: weights + DualEncoderSource.modules + models, use: numpy + "\n" + runtime)
    case .huggingface, .openClip:
      throw Failure(
        .usage,
        "heads on frozen towers have no form in transformers or open_clip, whose towers are CLIP's; take safetensors, with "
          + "a NumPy module, onnx or bundle", at: source.artifact.path)
    case .gguf, .npz:
      throw Failure(
        .usage, "heads on frozen towers have no form \(format.rawValue); take safetensors, onnx or bundle",
        at: source.artifact.path)
    }
  }

  private var weights: [ExportedFile] {
    [
      .tensors(
        Self.weightsName, source.encoder.encoderParameters + [source.scale.parameter], metadata: source.metadata),
      .json(Self.configurationName, source.encoder.configuration.json(scaleFrom: source.encoder.scaleOrigin)),
    ]
  }

  private var tempnets: [ExportedFile] {
    get throws {
      guard source.hasTempNets else { return [] }
      return [.copy(EmbeddingTempNetFile.name, of: try source.artifact.file(EmbeddingTempNetFile.name))]
    }
  }

  private var models: [ExportedFile] {
    let metadata = source.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    let (image, text) = (EncoderHead(source.encoder, "image_head"), EncoderHead(source.encoder, "text_head"))
    guard let towers else {
      return [
        .onnx("image_head.onnx", metadata: metadata) { .head(image, "image_embeds") },
        .onnx("text_head.onnx", metadata: metadata) { .head(text, "text_embeds") },
      ]
    }
    return [
      .onnx(TowersForm.visionModelName, metadata: metadata) { .encoder(towers.image, image) },
      .onnx(TowersForm.textModelName, metadata: metadata) { .encoder(towers.text, text) },
      .json(TransformersFolder.preprocessingName, preprocessing(towers).transformers),
      .copy(TowerFiles.tokenizer, of: towers.tokenizerPath),
    ]
  }

  private func preprocessing(_ towers: Towers) -> PicturePreprocessing {
    PicturePreprocessing(transform: towers.image.transform, statedFit: source.pairs?.fit)
  }

  // MARK: - The card

  var introduction: String {
    """
    Two heads bring the embeddings of two frozen towers into one space of \(heads.embed) numbers: of
    `\(heads.image.name)` for pictures\(heads.image.size.map { " of \($0) x \($0) pixels" } ?? "") and of `\(heads.text.name)` for captions. Each head is a
    linear layer, GELU and a linear layer; its rows are divided by their length.
    """
  }

  var inputs: String {
    guard let towers else {
      return """
        The heads read the towers' own embeddings: \(heads.image.width) numbers of a picture, \(heads.text.width) of a
        caption.
        """
    }
    return """
      \(preprocessing(towers).sentence)

      Captions become ids by `\(TowerFiles.tokenizer)`, at most \(towers.text.limit) with the marks around them.
      """
  }

  private var numpy: String {
    """
    ```python
    from dual_encoder import Heads

    heads = Heads.load("\(Self.weightsName)")
    images = heads.images(image_embeddings)  # NumPy: [..., \(heads.image.width)] -> unit rows [..., \(heads.embed)]
    texts = heads.texts(text_embeddings)     # [..., \(heads.text.width)] -> [..., \(heads.embed)]
    logits = heads.scale * images @ texts.T
    ```

    """
  }

  private var runtime: String {
    guard towers != nil else {
      return """
        `image_head.onnx` and `text_head.onnx` do the same in ONNX Runtime: from a tower's `embedding` to `image_embeds` and
        `text_embeds`.

        """
    }
    return """
      \(TowersForm.runtime(mask: ", \"attention_mask\": mask"))
      """
  }
}
