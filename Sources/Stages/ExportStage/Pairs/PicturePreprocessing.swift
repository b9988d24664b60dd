import JSON
import Pairs
import Pictures

/// How pictures become what an encoder reads, in the words of other tools.
struct PicturePreprocessing {
  let transform: PictureTransform
  /// Nil where the pairs that the encoder was trained on were not given.
  let statedFit: PictureFit?

  private var fit: PictureFit { statedFit ?? .pad }
  private var mean: JSON { .array(transform.mean.map(JSON.number)) }
  private var deviation: JSON { .array(transform.deviation.map(JSON.number)) }
  private var square: JSON { ["height": .integer(transform.size), "width": .integer(transform.size)] }

  /// open_clip's `preprocess_cfg`.
  var openClip: JSON {
    let mode =
      switch fit {
      case .pad: "longest"
      case .crop: "shortest"
      case .squash: "squash"
      }
    return [
      "size": .integer(transform.size), "mode": "RGB", "mean": mean, "std": deviation, "interpolation": "bicubic",
      "resize_mode": .string(mode), "fill_color": 255,
    ]
  }

  /// `preprocessor_config.json` of transformers' `CLIPImageProcessor`, which cannot pad with white: for `pad` it expects
  /// squares.
  var transformers: JSON {
    [
      "image_processor_type": "CLIPImageProcessor", "do_convert_rgb": true, "do_resize": true,
      "size": fit == .crop ? ["shortest_edge": .integer(transform.size)] : square, "resample": 3,
      "do_center_crop": .bool(fit == .crop), "crop_size": square, "do_rescale": true,
      "rescale_factor": .number(1 / 255), "do_normalize": true, "image_mean": mean, "image_std": deviation,
    ]
  }

  /// For the card: what was done to pictures.
  var sentence: String {
    let shape =
      switch fit {
      case .pad: "stood whole in the middle of a square, white beside them"
      case .crop: "filled a square with their shorter side, and what lay beyond it was cut off"
      case .squash: "had both sides scaled to a square"
      }
    let origin =
      statedFit == nil
      ? " (tempnet's default; the pairs, which say what was done, were not given to this export)" : ""
    return """
      Pictures \(shape)\(origin). What is transparent became white. Squares were scaled to \(transform.size) x
      \(transform.size) pixels by antialiased bicubic interpolation.
      """
  }

  /// For the card: what the steps of open_clip and transformers leave out of that.
  var besides: String {
    let padding =
      fit == .pad
      ? "\nTransformers cannot pad with white: pad pictures to squares before `CLIPProcessor` sees them." : ""
    return "open_clip and transformers drop transparency; put such pictures on white first.\(padding)"
  }
}
