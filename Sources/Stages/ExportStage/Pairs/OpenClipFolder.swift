import Diagnostics
import EncoderDescriptions
import ImageTextModels
import JSON
import Torch

/// A dual encoder with towers of its own as the folder that open_clip loads by `local-dir:`.
struct OpenClipFolder {
  let towers: TowersConfiguration
  let encoder: DualEncoder
  let captions: CaptionFiles
  let preprocessing: PicturePreprocessing
  let scale: ExportedScale
  let metadata: [String: String]
  /// Of the encoder, for messages.
  let place: String

  /// - Throws: `Failure(.usage)` for two activations, of which open_clip has one.
  func files() throws -> [ExportedFile] {
    guard towers.vision.block.activation == towers.text.block.activation else {
      throw Failure(
        .usage,
        "has another activation for pictures than for captions, for which open_clip has no form; take huggingface "
          + "or onnx", at: place)
    }
    return [
      .json(PublishedEncoderFiles.openClipConfiguration, configuration),
      .tensors(
        PublishedEncoderFiles.openClipWeights, encoder.encoderParameters + [scale.parameter], metadata: metadata),
    ] + (try captions.files())
  }

  private var configuration: JSON {
    let (vision, text) = (towers.vision, towers.text)
    return [
      "model_cfg": [
        "embed_dim": .integer(towers.embed), "quick_gelu": .bool(towers.vision.block.activation == .quickGelu),
        "vision_cfg": [
          "image_size": .integer(vision.size), "patch_size": .integer(vision.patch), "width": .integer(vision.width),
          "layers": .integer(vision.layers), "head_width": .integer(vision.width / vision.heads),
          "mlp_ratio": ratio(vision.block, vision.width), "norm_kwargs": norm(vision.block),
        ],
        "text_cfg": [
          "context_length": .integer(text.context), "vocab_size": .integer(text.vocabulary),
          "width": .integer(text.width), "heads": .integer(text.heads), "layers": .integer(text.layers),
          "mlp_ratio": ratio(text.block, text.width), "norm_kwargs": norm(text.block),
          // Any name makes open_clip take the folder's own tokenizer.
          "hf_tokenizer_name": ".",
        ],
      ],
      "preprocess_cfg": preprocessing.openClip,
    ]
  }

  private func ratio(_ block: TowersConfiguration.Block, _ width: Int) -> JSON {
    .number(Double(block.feedForward) / Double(width))
  }

  private func norm(_ block: TowersConfiguration.Block) -> JSON { ["eps": .number(block.normEpsilon)] }
}
