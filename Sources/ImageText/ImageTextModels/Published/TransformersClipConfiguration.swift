import Diagnostics
import EncoderDescriptions
import Files
import JSON
import Pictures

/// The `config.json` of transformers' `CLIPModel`, with the defaults of its classes (transformers 5).
enum TransformersClipConfiguration {
  static func read(
    _ path: String, preprocessor: String?, _ reading: inout PublishedReading
  ) throws -> TowersConfiguration {
    let json = try JSON(parsing: Files.read(path, limit: 1 << 20), source: path)
    var fields = try JSONFields(json, source: path)
    let type = try fields.string("model_type")
    guard type == "clip" else {
      let what = type.hasPrefix("siglip") ? ", whose loss has a bias and whose pictures are pooled by attention" : ""
      throw fields.failure("model_type", "is \"\(type)\"\(what); only clip is read")
    }
    let embed = try fields.size(
      "projection_dim", in: 1...1 << 20, unsaid: 512, "projection_dim", path, &reading)
    var vision = try fields.part("vision_config")
    if let channels = try vision.integer(ifPresent: "num_channels"), channels != 3 {
      throw vision.failure("num_channels", "is \(channels), expected 3")
    }
    var text = try fields.part("text_config")
    let captions = try Self.text(&text, path, &reading)
    let (mean, deviation) = try channels(preprocessor, path, &reading)
    return try TowersConfiguration(
      vision: try Self.vision(&vision, path, &reading), text: captions, embed: embed, mean: mean, deviation: deviation,
      status: .badData, at: path)
  }

  private static func vision(
    _ fields: inout JSONFields, _ path: String, _ reading: inout PublishedReading
  ) throws -> TowersConfiguration.Vision {
    func size(_ name: String, _ most: Int, _ usual: Int) throws -> Int {
      try fields.size(name, in: 1...most, unsaid: usual, "vision_config.\(name)", path, &reading)
    }
    let width = try size("hidden_size", 1 << 16, 768)
    return TowersConfiguration.Vision(
      size: try size("image_size", 1 << 14, 224), patch: try size("patch_size", 1 << 14, 32), width: width,
      layers: try size("num_hidden_layers", 1 << 10, 12), heads: try size("num_attention_heads", 1 << 10, 12),
      block: try block(&fields, "vision_config", usual: 3072, path, &reading))
  }

  private static func text(
    _ fields: inout JSONFields, _ path: String, _ reading: inout PublishedReading
  ) throws -> TowersConfiguration.Text {
    func size(_ name: String, _ most: Int, _ usual: Int) throws -> Int {
      try fields.size(name, in: 1...most, unsaid: usual, "text_config.\(name)", path, &reading)
    }
    let width = try size("hidden_size", 1 << 16, 512)
    let vocabulary = try size("vocab_size", 1 << 21, 49_408)
    try checkEnd(&fields, vocabulary, path, &reading)
    return TowersConfiguration.Text(
      vocabulary: vocabulary, context: try size("max_position_embeddings", 1 << 16, 77), width: width,
      layers: try size("num_hidden_layers", 1 << 10, 12), heads: try size("num_attention_heads", 1 << 10, 8),
      block: try block(&fields, "text_config", usual: 2048, path, &reading))
  }

  /// transformers reads a caption at the first end mark; with an id of 2, which OpenAI's files state by mistake, at the
  /// greatest id. Both are one where the end mark has the greatest id.
  private static func checkEnd(
    _ fields: inout JSONFields, _ vocabulary: Int, _ path: String, _ reading: inout PublishedReading
  ) throws {
    let usual = 49_407
    let stated = try fields.integer(ifPresent: "eos_token_id")
    if stated == nil {
      reading.notes.append(
        "\(Files.name(of: path)) does not state text_config.eos_token_id: taken as \(usual), the default of transformers"
      )
    }
    guard [2, vocabulary - 1].contains(stated ?? usual) else {
      throw fields.failure(
        "eos_token_id", "is \(stated ?? usual), but the greatest id, at which a caption is read, is \(vocabulary - 1)")
    }
  }

  private static func block(
    _ fields: inout JSONFields, _ part: String, usual: Int, _ path: String, _ reading: inout PublishedReading
  ) throws -> TowersConfiguration.Block {
    let inner = try fields.size(
      "intermediate_size", in: 1...1 << 18, unsaid: usual, "\(part).intermediate_size", path, &reading)
    let epsilon = try fields.number(ifPresent: "layer_norm_eps")
    if epsilon == nil {
      reading.notes.append(
        "\(Files.name(of: path)) does not state \(part).layer_norm_eps: taken as 1e-5, the default of transformers")
    }
    let stated: TowersConfiguration.Activation? = try fields.string(ifPresent: "hidden_act").map { name in
      switch name {
      case "gelu": return .gelu
      case "quick_gelu": return .quickGelu
      default: throw fields.failure("hidden_act", "is \"\(name)\"; supported are gelu and quick_gelu")
      }
    }
    let activation = try reading.activation(
      stated: stated, default: .quickGelu, "\(part).hidden_act", form: "transformers", at: path)
    return TowersConfiguration.Block(activation: activation, feedForward: inner, normEpsilon: epsilon ?? 1e-5)
  }

  private static func channels(
    _ preprocessor: String?, _ path: String, _ reading: inout PublishedReading
  ) throws -> ([Double], [Double]) {
    guard let preprocessor else {
      reading.notes.append(
        "there is no preprocessor_config.json beside \(Files.name(of: path)): mean and deviation are CLIP's")
      return (PictureTransform.clipMean, PictureTransform.clipDeviation)
    }
    var fields = try JSONFields(
      JSON(parsing: Files.read(preprocessor, limit: 1 << 20), source: preprocessor), source: preprocessor)
    for (name, needed) in [("do_rescale", true), ("do_normalize", true)] {
      if let value = try fields.boolean(ifPresent: name), value != needed {
        throw fields.failure(name, "is \(value), which is not supported")
      }
    }
    func numbers(_ name: String, _ usual: [Double]) throws -> [Double] {
      fields.optional(name).map(\.isNull) ?? true ? usual : try fields.numbers(name)
    }
    return (
      try numbers("image_mean", PictureTransform.clipMean), try numbers("image_std", PictureTransform.clipDeviation)
    )
  }
}

extension JSONFields {
  /// A size that may be missing; then a note says what its class takes.
  fileprivate mutating func size(
    _ name: String, in range: ClosedRange<Int>, unsaid: Int, _ member: String, _ path: String,
    _ reading: inout PublishedReading
  ) throws -> Int {
    if let value = optional(name), !value.isNull { return try size(name, in: range) }
    reading.notes.append(
      "\(Files.name(of: path)) does not state \(member): taken as \(unsaid), the default of transformers")
    return unsaid
  }

  /// The part of one tower; older files also have it with `_dict` at its end, and transformers lets that one win.
  fileprivate mutating func part(_ name: String) throws -> JSONFields {
    let older = "\(name)_dict"
    if let value = optional(older), !value.isNull { return try fields(older) }
    return try fields(name)
  }
}
