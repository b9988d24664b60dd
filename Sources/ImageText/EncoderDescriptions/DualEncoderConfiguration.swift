import Diagnostics
import JSON

/// What a dual encoder is made of, as its `model.json` states it.
public enum DualEncoderConfiguration: Equatable, Sendable {
  /// Heads on the embeddings of frozen towers.
  case heads(HeadsConfiguration)
  /// Encoders that read pictures and captions themselves.
  case towers(TowersConfiguration)

  private enum Form: String, CaseIterable {
    case heads, towers
  }

  /// The width of the common space.
  public var embed: Int {
    switch self {
    case .heads(let heads): heads.embed
    case .towers(let towers): towers.embed
    }
  }

  /// The members of `model.json`, with the origin of the encoder's scale.
  public func json(scaleFrom origin: LogitScale.Origin) -> JSON {
    var object: JSONObject = [:]
    let (form, members) =
      switch self {
      case .heads(let heads): (Form.heads, heads.members)
      case .towers(let towers): (Form.towers, towers.members)
      }
    object["form"] = .string(form.rawValue)
    for (name, value) in members { object[name] = value }
    object["scale_from"] = .string(origin.rawValue)
    return .object(object)
  }

  /// Reads `model.json`.
  ///
  /// - Parameter source: the file, for messages.
  /// - Throws: `Failure(.badData)` naming the member that is not as it should be.
  public static func read(
    _ json: JSON, source: String
  ) throws -> (configuration: DualEncoderConfiguration, scaleFrom: LogitScale.Origin) {
    var fields = try JSONFields(json, source: source)
    let form: Form = try fields.choice("form")
    let configuration: DualEncoderConfiguration =
      switch form {
      case .heads: .heads(try HeadsConfiguration(&fields))
      case .towers: .towers(try TowersConfiguration(&fields))
      }
    let origin: LogitScale.Origin = try fields.choice("scale_from")
    try fields.finish()
    return (configuration, origin)
  }
}
