import Artifacts
import Diagnostics

// What the families' config.json files have in common.
extension JSONFields {
  /// Refuses a switch that is set to what this software does not do; one that is missing is as needed.
  mutating func require(_ name: String, is needed: Bool) throws {
    if let value = try boolean(ifPresent: name), value != needed {
      throw failure(name, "is \(value), which is not supported")
    }
  }

  mutating func requireActivation(_ needed: String) throws {
    let name = try string("hidden_act")
    guard name == needed else { throw failure("hidden_act", "is \"\(name)\"; supported is \(needed)") }
  }

  mutating func gelu(_ member: String) throws -> ModelConfiguration.Activation {
    let name = try string(member)
    switch name {
    case "gelu": return .gelu
    case "gelu_new", "gelu_fast", "gelu_pytorch_tanh": return .geluTanh
    default: throw failure(member, "is \"\(name)\"; supported are gelu, gelu_new, gelu_fast, gelu_pytorch_tanh")
    }
  }

  /// Rotary settings: in `rope_parameters` since transformers 5, before that in members of their own and in
  /// `rope_scaling`.
  ///
  /// - Parameter context: `max_position_embeddings`; a dynamic scaling lengthens it.
  mutating func rotary(
    base: String, fraction: String, defaultFraction: Double, context: Int
  ) throws -> RotarySettings {
    var settings = RotarySettings(
      base: try number(ifPresent: base) ?? 10_000, fraction: try number(ifPresent: fraction) ?? defaultFraction,
      context: context)
    for member in ["rope_scaling", "rope_parameters"] {
      guard var parameters = try fields(ifPresent: member) else { continue }
      settings.base = try parameters.number(ifPresent: "rope_theta") ?? settings.base
      settings.fraction = try parameters.number(ifPresent: "partial_rotary_factor") ?? settings.fraction
      let scaling = try parameters.rotaryScaling(context: context)
      if scaling != .none { settings.scaling = scaling }
      if case .dynamic(let factor, _) = scaling, factor >= 1, factor < 1e6, context < 1 << 30 {
        settings.context = Int(factor * Double(context))
      }
    }
    return settings
  }

  /// What `rope_type`, or `type` in files of old, asks for.
  private mutating func rotaryScaling(context: Int) throws -> RotaryScaling {
    let older = try string(ifPresent: "type")
    let type = try string(ifPresent: "rope_type") ?? older ?? "default"
    switch type {
    case "default": return .none
    case "linear": return .linear(factor: try number("factor"))
    case "dynamic": return .dynamic(factor: try number("factor"), original: context)
    case "llama3":
      return .llama3(
        factor: try number("factor"), low: try number("low_freq_factor"), high: try number("high_freq_factor"),
        original: try integer("original_max_position_embeddings"))
    default:
      throw failure("rope_type", "is \"\(type)\"; supported are default, linear, dynamic and llama3")
    }
  }
}

/// What a published configuration says of rotary positions.
struct RotarySettings {
  var base: Double
  var fraction: Double
  var scaling = RotaryScaling.none
  /// The longest window, in tokens.
  var context: Int
}
