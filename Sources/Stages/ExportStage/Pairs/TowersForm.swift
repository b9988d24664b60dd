import Artifacts
import Diagnostics
import EncoderDescriptions
import ImageTextModels
import JSON
import StageDescriptions
import Torch

/// Encoders that read pictures and captions themselves: the folders of open_clip and transformers, and ONNX models.
struct TowersForm: DualEncoderForm {
  static let visionModelName = "vision_model.onnx"
  static let textModelName = "text_model.onnx"

  private let source: DualEncoderSource
  private let towers: TowersConfiguration
  private let captions: CaptionFiles
  private let preprocessing: PicturePreprocessing

  init(_ source: DualEncoderSource, _ towers: TowersConfiguration) {
    (self.source, self.towers) = (source, towers)
    guard let tokenizer = source.encoder.captionTokenizer, let transform = source.encoder.transform else {
      preconditionFailure("encoders of this form read pictures and captions")
    }
    captions = CaptionFiles(tokenizer: tokenizer)
    preprocessing = PicturePreprocessing(transform: transform, statedFit: source.pairs?.fit)
  }

  func files(_ format: ExportConfiguration.Format) throws -> DualEncoderContent {
    switch format {
    case .openClip: return DualEncoderContent(files: try openClip.files(), use: openClipUse)
    case .huggingface: return DualEncoderContent(files: try transformers.files(), use: transformersUse)
    case .onnx:
      return DualEncoderContent(
        files: models + [preprocessingFile] + (try captions.files()), use: Self.runtime(mask: ""))
    case .bundle:
      return DualEncoderContent(
        files: try openClip.files() + models + [preprocessingFile]
          + (source.hasTempNets ? DualEncoderSource.modules : []),
        use: openClipUse + "\n" + Self.runtime(mask: ""))
    case .safetensors, .npz, .gguf:
      throw Failure(
        .usage,
        "encoders of their own have no form \(format.rawValue); take open_clip, whose folder has the weights as "
          + "safetensors, huggingface, onnx or bundle", at: source.artifact.path)
    }
  }

  private var openClip: OpenClipFolder {
    OpenClipFolder(
      towers: towers, encoder: source.encoder, captions: captions, preprocessing: preprocessing, scale: source.scale,
      metadata: source.metadata, place: source.artifact.path)
  }

  private var transformers: TransformersFolder {
    TransformersFolder(
      towers: towers, encoder: source.encoder, captions: captions, preprocessing: preprocessing, scale: source.scale,
      metadata: source.metadata)
  }

  private var models: [ExportedFile] {
    let metadata = source.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    let onnx = ClipOnnx(towers, TowerTensors(source.encoder.encoderParameters))
    return [
      .onnx(Self.visionModelName, metadata: metadata) { onnx.visionGraph() },
      .onnx(Self.textModelName, metadata: metadata) { onnx.textGraph() },
    ]
  }

  private var preprocessingFile: ExportedFile {
    .json(TransformersFolder.preprocessingName, preprocessing.transformers)
  }

  // MARK: - The card

  var introduction: String {
    let (vision, text) = (towers.vision, towers.text)
    return """
      A vision transformer (\(vision.size) x \(vision.size) pixels, patches of \(vision.patch), width \(vision.width),
      \(vision.layers) layers) and a causal text transformer (vocabulary \(text.vocabulary), context \(text.context), width
      \(text.width), \(text.layers) layers) in the native form of open_clip into one space of \(towers.embed)
      numbers. A caption is read at its end mark, which has the greatest id.
      """
  }

  var inputs: String {
    """
    \(preprocessing.sentence)
    \(preprocessing.besides)

    Captions are read as they are, letter for letter. open_clip tidies them first (`ftfy`, HTML entities, runs of white
    space), which changes the ids of captions with such in them. Of a caption beyond \(towers.text.context) ids the last are
    left out, but not the end mark.
    """
  }

  private var openClipUse: String {
    """
    ```python
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms("local-dir:FOLDER")
    tokenizer = open_clip.get_tokenizer("local-dir:FOLDER")
    images = model.encode_image(preprocess(picture)[None], normalize=True)
    texts = model.encode_text(tokenizer(["a caption"]), normalize=True)
    ```

    """
  }

  private var transformersUse: String {
    """
    ```python
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained("FOLDER"), CLIPProcessor.from_pretrained("FOLDER")
    outputs = model(**processor(text=["a caption"], images=picture, return_tensors="pt", padding=True, truncation=True))
    outputs.image_embeds, outputs.text_embeds, outputs.logits_per_image
    ```

    """
  }

  static func runtime(mask: String) -> String {
    """
    ```python
    import onnxruntime

    images = onnxruntime.InferenceSession("\(visionModelName)").run(None, {"pixel_values": pixels})[0]
    texts = onnxruntime.InferenceSession("\(textModelName)").run(None, {"input_ids": ids\(mask)})[0]
    ```

    `pixels` [rows, 3, S, S] are made as `\(TransformersFolder.preprocessingName)` says, ids by `tokenizer.json`. Rows
    have unit length.

    """
  }
}
