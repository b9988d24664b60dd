import Diagnostics
import JSON
import ModelDescriptions

// Members that the families' config.json files have in common.
extension JSONFields {
  /// Refuses a switch with an unsupported value; a missing one has the supported value.
  mutating func require(_ name: String, is needed: Bool) throws {
    if let value = try boolean(ifPresent: name), value != needed {
      throw failure(name, "is \(value), which is not supported")
    }
  }

  /// Refuses all activations but one, which has several names; the first is the default of the model's class.
  mutating func requireActivation(_ names: String...) throws {
    guard let name = try string(ifPresent: "hidden_act") else { return sayDefault("hidden_act", names[0]) }
    guard names.contains(name) else { throw failure("hidden_act", "is \"\(name)\"; supported is \(names[0])") }
  }

  /// - Parameter unsaid: the default of the model's class.
  mutating func gelu(
    _ member: String, default unsaid: ModelConfiguration.Activation
  ) throws -> ModelConfiguration.Activation {
    guard let name = try string(ifPresent: member) else {
      sayDefault(member, unsaid == .gelu ? "gelu" : "gelu_new")
      return unsaid
    }
    switch name {
    case "gelu", "gelu_python": return .gelu
    case "gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh": return .geluTanh
    default: throw failure(member, "is \"\(name)\"; supported are gelu, gelu_new, gelu_fast, gelu_pytorch_tanh")
    }
  }

  private func sayDefault(_ member: String, _ value: String) {
    Log.note("\(failure(member, "is not stated: taken as \(value), the default of transformers"))")
  }

  /// Rotary settings: in `rope_parameters` since transformers 5, in members of the configuration and in `rope_scaling` before.
  ///
  /// - Parameter context: `max_position_embeddings`; a dynamic scaling lengthens it.
  mutating func rotary(
    base: String, fraction: String, defaultFraction: Double, context: Int
  ) throws -> RotarySettings {
    var settings = RotarySettings(
      base: try number(ifPresent: base) ?? 10_000, fraction: try number(ifPresent: fraction) ?? defaultFraction,
      context: context)
    // A few files state the original training length beside them.
    let original = try integer(ifPresent: "original_max_position_embeddings")
    // Only the first of them that is present is read.
    for member in ["rope_scaling", "rope_parameters"] {
      guard let members = optional(member)?.objectValue, !members.isEmpty,
        var parameters = try fields(ifPresent: member)
      else { continue }
      settings.base = try parameters.number(ifPresent: "rope_theta") ?? settings.base
      settings.fraction = try parameters.number(ifPresent: "partial_rotary_factor") ?? settings.fraction
      settings.scaling = try parameters.rotaryScaling(members, context: context, original: original)
      if case .dynamic(let factor, _) = settings.scaling, factor >= 1, factor < 1e6, context < 1 << 30 {
        settings.context = Int(factor * Double(context))
      }
      break
    }
    return settings
  }

  /// The scaling of `rope_type`, or of `type` in older files. Without either transformers assumes "default" and ignores the
  /// other members.
  ///
  /// - Parameters:
  ///   - members: all members of the settings.
  ///   - original: the original training length, where it is stated outside of them.
  private mutating func rotaryScaling(
    _ members: JSONObject, context: Int, original: Int?
  ) throws -> RotaryScaling {
    if let (name, _) = members.first(where: { $1.objectValue != nil }) {
      throw failure(name, "is for some of the layers: not supported")
    }
    let older = try string(ifPresent: "type")
    let type = try string(ifPresent: "rope_type") ?? older ?? "default"
    switch type {
    case "default":
      let unread = members.map(\.0).filter { !Self.unscaled.contains($0) && members[$0]?.isNull == false }
      if let name = unread.first {
        Log.warning(
          "\(failure(name, "changes nothing with rope_type default, which is what a missing one means to transformers"))"
        )
      }
      return .none
    case "linear": return .linear(factor: try number("factor"))
    case "dynamic": return .dynamic(factor: try number("factor"), original: context)
    case "llama3":
      let own = try integer(ifPresent: "original_max_position_embeddings")
      return .llama3(
        factor: try number("factor"), low: try number("low_freq_factor"), high: try number("high_freq_factor"),
        original: original ?? own ?? context)
    default:
      throw failure("rope_type", "is \"\(type)\"; supported are default, linear, dynamic and llama3")
    }
  }

  /// The members allowed beside `rope_type` default.
  private static let unscaled = ["type", "rope_type", "rope_theta", "partial_rotary_factor"]
}

/// The rotary settings of a published configuration.
struct RotarySettings {
  var base: Double
  var fraction: Double
  var scaling = RotaryScaling.none
  /// The longest window, in tokens.
  var context: Int
}
