import EncoderDescriptions
import ImageTextModels
import JSON
import ModelFiles
import Torch

/// A dual encoder with towers of its own as the folder that transformers' `CLIPModel` and `CLIPProcessor` load.
struct TransformersFolder {
  static let preprocessingName = "preprocessor_config.json"

  let towers: TowersConfiguration
  let encoder: DualEncoder
  let captions: CaptionFiles
  let preprocessing: PicturePreprocessing
  let scale: ExportedScale
  let metadata: [String: String]

  func files() throws -> [ExportedFile] {
    [
      .json(HuggingFaceFolder.configurationName, configuration),
      .tensors(
        HuggingFaceFolder.weightsName, weights, metadata: metadata.merging(["format": "pt"]) { given, _ in given }),
      .json(Self.preprocessingName, preprocessing.transformers),
    ] + (try captions.files())
  }

  // MARK: - Configuration

  private var configuration: JSON {
    let (vision, text) = (towers.vision, towers.text)
    let end = captions.tokenizer.endMark.id
    var textMembers = part("clip_text_model", text.width, text.layers, text.heads, text.block)
    textMembers["vocab_size"] = .integer(text.vocabulary)
    textMembers["max_position_embeddings"] = .integer(text.context)
    textMembers["bos_token_id"] = .integer(captions.tokenizer.beginMark?.id ?? end)
    textMembers["eos_token_id"] = .integer(end)
    textMembers["pad_token_id"] = .integer(end)
    var visionMembers = part("clip_vision_model", vision.width, vision.layers, vision.heads, vision.block)
    visionMembers["image_size"] = .integer(vision.size)
    visionMembers["patch_size"] = .integer(vision.patch)
    visionMembers["num_channels"] = 3
    return [
      "architectures": ["CLIPModel"], "model_type": "clip", "torch_dtype": "float32",
      "projection_dim": .integer(towers.embed), "logit_scale_init_value": .number(scale.logarithm),
      "text_config": .object(textMembers), "vision_config": .object(visionMembers),
    ]
  }

  /// Activations have the names that they have there; the default there is `quick_gelu`.
  private func part(
    _ type: String, _ width: Int, _ layers: Int, _ heads: Int, _ block: TowersConfiguration.Block
  ) -> JSONObject {
    [
      "model_type": .string(type), "hidden_size": .integer(width), "intermediate_size": .integer(block.feedForward),
      "num_hidden_layers": .integer(layers), "num_attention_heads": .integer(heads),
      "hidden_act": .string(block.activation.rawValue), "layer_norm_eps": .number(block.normEpsilon),
      "attention_dropout": .number(0),
      "projection_dim": .integer(towers.embed),
    ]
  }

  // MARK: - Weights

  private var weights: [NamedTensor] {
    encoder.encoderParameters.flatMap { TransformersNames($0.name).tensors($0.tensor) } + [scale.parameter]
  }
}
