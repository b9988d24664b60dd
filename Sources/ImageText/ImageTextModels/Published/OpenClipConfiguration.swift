import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Pictures

/// `open_clip_config.json`, or the model's part of it alone as open_clip's `model_configs` have it.
///
/// Every member that open_clip 3.3 knows is applied, or refused by name where it is not the value that has no effect.
enum OpenClipConfiguration {
  static func read(_ path: String, _ reading: inout PublishedReading) throws -> TowersConfiguration {
    let json = try JSON(parsing: Files.read(path, limit: 1 << 20), source: path)
    let isWhole = json["model_cfg"] != nil
    var model = try JSONFields(isWhole ? json["model_cfg"]! : json, source: path, path: isWhole ? "model_cfg" : "")
    let stated: TowersConfiguration.Activation? = try model.boolean(ifPresent: "quick_gelu").map {
      $0 ? .quickGelu : .gelu
    }
    let activation = try reading.activation(
      stated: stated, default: .gelu, "quick_gelu", form: "open_clip", at: path)
    let embed = try model.size("embed_dim", in: 1...1 << 20)
    var vision = try model.fields("vision_cfg")
    let image = try Self.vision(&vision, activation)
    try vision.finishNeutral(visionNeutral)
    var text = try model.fields("text_cfg")
    let captions = try Self.text(&text, activation)
    try text.finishNeutral(textNeutral)
    for name in ["init_logit_scale", "cast_dtype", "custom_text"] { _ = model.optional(name) }
    try model.finishNeutral([
      "init_logit_bias": [.null], "nonscalar_logit_scale": [false], "output_dict": [false, true],
    ])
    let (mean, deviation) = try Self.channels(json["preprocess_cfg"], path, &reading)
    return try TowersConfiguration(
      vision: image, text: captions, embed: embed, mean: mean, deviation: deviation, status: .badData, at: path)
  }

  private static func vision(
    _ fields: inout JSONFields, _ activation: TowersConfiguration.Activation
  ) throws -> TowersConfiguration.Vision {
    if fields.optional("layers")?.arrayValue != nil {
      throw fields.failure("layers", "is a list: this is CLIP with a ResNet; only vision transformers are read")
    }
    let width = try fields.size("width", in: 1...1 << 16, default: 768)
    let headWidth = try fields.size("head_width", in: 1...1 << 16, default: 64)
    let size = try fields.side("image_size", default: 224)
    return TowersConfiguration.Vision(
      size: size, patch: try fields.side("patch_size", default: 16), width: width,
      layers: try fields.size("layers", in: 1...1 << 10, default: 12), heads: max(1, width / headWidth),
      block: try block(&fields, width, activation))
  }

  private static func text(
    _ fields: inout JSONFields, _ activation: TowersConfiguration.Activation
  ) throws -> TowersConfiguration.Text {
    let width = try fields.size("width", in: 1...1 << 16, default: 512)
    // Which vocabulary the folder's own files hold; they are read, whatever its name was.
    _ = fields.optional("hf_tokenizer_name")
    return TowersConfiguration.Text(
      vocabulary: try fields.size("vocab_size", in: 1...1 << 21, default: 49_408),
      context: try fields.size("context_length", in: 2...1 << 16, default: 77), width: width,
      layers: try fields.size("layers", in: 1...1 << 10, default: 12),
      heads: try fields.size("heads", in: 1...1 << 10, default: 8), block: try block(&fields, width, activation))
  }

  private static func block(
    _ fields: inout JSONFields, _ width: Int, _ activation: TowersConfiguration.Activation
  ) throws -> TowersConfiguration.Block {
    let ratio = try fields.number(ifPresent: "mlp_ratio") ?? 4
    guard ratio > 0, ratio < 1024, Int(Double(width) * ratio) > 0 else {
      throw fields.failure("mlp_ratio", "is \(ratio)")
    }
    var epsilon = 1e-5
    if var norm = try fields.fields(ifPresent: "norm_kwargs") {
      epsilon = try norm.number(ifPresent: "eps") ?? epsilon
      try norm.finish()
    }
    return TowersConfiguration.Block(
      activation: activation, feedForward: Int(Double(width) * ratio), normEpsilon: epsilon)
  }

  /// What pictures are brought to. How they are cut is a matter of the pairs.
  private static func channels(
    _ json: JSON?, _ path: String, _ reading: inout PublishedReading
  ) throws -> ([Double], [Double]) {
    var fields = try JSONFields(json ?? [:], source: path, path: "preprocess_cfg")
    func numbers(_ name: String, _ usual: [Double]) throws -> [Double] {
      guard let list = fields.optional(name), !list.isNull else {
        reading.notes.append("\(Files.name(of: path)) does not state preprocess_cfg.\(name): taken as CLIP's")
        return usual
      }
      return try fields.numbers(name)
    }
    return (
      try numbers("mean", PictureTransform.clipMean), try numbers("std", PictureTransform.clipDeviation)
    )
  }

  private static let blockNeutral: [String: [JSON]] = [
    "ls_init_value": [.null], "final_ln_after_pool": [false], "act_kwargs": [.null, [:]],
    "block_type": [.null, "default"], "qk_norm": [false], "scaled_cosine_attn": [false], "scale_heads": [false],
    "scale_attn_inner": [false], "scale_attn": [false], "scale_fc": [false], "output_tokens": [false],
  ]
  private static let visionNeutral = blockNeutral.merging([
    "attentional_pool": [false], "no_ln_pre": [false], "pos_embed_type": ["learnable"], "pool_type": ["tok"],
    "timm_model_name": [.null],
    // Acts in training, on towers that are trained elsewhere.
    "patch_dropout": [0, 0.0],
  ]) { $1 }
  private static let textNeutral = blockNeutral.merging([
    "embed_cls": [false], "no_causal_mask": [false], "pool_type": ["argmax"], "proj_bias": [false],
    "proj_type": ["linear"], "hf_model_name": [.null], "tokenizer_mode": [.null], "tokenizer_kwargs": [.null, [:]],
  ]) { $1 }
}

extension JSONFields {
  /// A size that may be missing.
  mutating func size(_ name: String, in range: ClosedRange<Int>, default usual: Int) throws -> Int {
    if let value = optional(name), !value.isNull { return try size(name, in: range) }
    return usual
  }

  /// A side of a square, as a number or as two equal ones.
  fileprivate mutating func side(_ name: String, default usual: Int) throws -> Int {
    if let pair = optional(name)?.arrayValue {
      guard pair.count == 2, pair[0] == pair[1], let side = pair[0].intValue, (1...1 << 14).contains(side) else {
        throw failure(name, "is \(JSON.array(pair).compact); only squares are read")
      }
      return side
    }
    return try size(name, in: 1...1 << 14, default: usual)
  }

  /// Refuses members that nothing asked for, unless they have a value without effect, or belong to a part that is off.
  fileprivate mutating func finishNeutral(_ neutral: [String: [JSON]]) throws {
    for (name, values) in neutral.sorted(by: { $0.key < $1.key }) {
      guard let value = optional(name) else { continue }
      guard values.contains(value) else { throw failure(name, "is \(value.compact), which is not supported") }
    }
    for name in remaining
    where !["timm_", "hf_", "attn_pooler_"].contains(where: name.hasPrefix) && !["pad_id", "eos_id"].contains(name) {
      throw failure(name, "is not known")
    }
  }
}
