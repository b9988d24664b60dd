import Diagnostics
import JSON
import ModelDescriptions

extension ModelConfiguration {
  /// The members of `config.json`, all of them written out but `rotary_scaling`, which stands there if there is any.
  public var json: JSON {
    var json: JSON = [
      "vocabulary": .integer(vocabulary),
      "context": .integer(context),
      "width": .integer(width),
      "layers": .integer(layers),
      "heads": .integer(heads),
      "key_value_heads": .integer(keyValueHeads),
      "head_width": .integer(headWidth),
      "feed_forward": .integer(feedForward),
      "norm": .string(norm.rawValue),
      "norm_epsilon": .number(normEpsilon),
      "positions": .string(positions.rawValue),
      "rotary_base": .number(rotaryBase),
      "rotary_fraction": .number(rotaryFraction),
      "activation": .string(activation.rawValue),
      "biases": .string(biases.rawValue),
      "tied_head": .bool(tiedHead),
      "parallel_residual": .bool(parallelResidual),
      "attention": .string(attention.rawValue),
      "dropout": .number(dropout),
    ]
    json["rotary_scaling"] = rotaryScaling.json
    return json
  }

  /// Reads what `json` writes: every member must be there, and no other.
  ///
  /// - Parameter source: the file, for messages.
  /// - Throws: `Failure` with `.badData` naming the member at fault.
  public init(_ json: JSON, source: String) throws {
    var members = try JSONFields(json, source: source)
    var scaling = try members.fields(ifPresent: "rotary_scaling")
    try self.init(
      vocabulary: members.integer("vocabulary"), context: members.integer("context"), width: members.integer("width"),
      layers: members.integer("layers"), heads: members.integer("heads"),
      keyValueHeads: members.integer("key_value_heads"), headWidth: members.integer("head_width"),
      feedForward: members.integer("feed_forward"), norm: members.choice("norm"),
      normEpsilon: members.number("norm_epsilon"), positions: members.choice("positions"),
      rotaryBase: members.number("rotary_base"), rotaryFraction: members.number("rotary_fraction"),
      rotaryScaling: RotaryScaling(ifPresent: &scaling), activation: members.choice("activation"),
      biases: members.choice("biases"),
      tiedHead: members.boolean("tied_head"),
      parallelResidual: members.boolean("parallel_residual"), attention: members.choice("attention"),
      dropout: members.number("dropout"), status: .badData, at: source)
    try members.finish()
  }
}
