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

  /// Rotary settings: in `rope_parameters` since transformers 5, before that in members of their own.
  mutating func rotary(
    base: String, fraction: String, defaultFraction: Double
  ) throws -> (base: Double, fraction: Double) {
    let ownBase = try number(ifPresent: base) ?? 10_000
    let ownFraction = try number(ifPresent: fraction) ?? defaultFraction
    if optional("rope_scaling")?.isNull == false { throw failure("rope_scaling", "is not supported") }
    guard var parameters = try fields(ifPresent: "rope_parameters") else { return (ownBase, ownFraction) }
    let type = try parameters.string(ifPresent: "rope_type") ?? "default"
    guard type == "default" else { throw parameters.failure("rope_type", "is \"\(type)\", which is not supported") }
    return (
      try parameters.number(ifPresent: "rope_theta") ?? ownBase,
      try parameters.number(ifPresent: "partial_rotary_factor") ?? ownFraction
    )
  }
}
