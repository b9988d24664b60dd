import ModelDescriptions
import Torch

/// A parameter of a configuration: its name in weight files, its shape and its role.
public struct ParameterDescription: Equatable, Sendable {
  /// The role decides the initial values.
  public enum Role: Equatable, Sendable {
    case embedding
    /// A matrix [out, in].
    case weight
    /// A matrix [out, in] whose product is added to the residual stream.
    case residualWeight
    case bias
    case normScale
  }

  public let name: String
  public let shape: [Int]
  public let role: Role

  /// Whether it is used only as a factor of a block's products.
  var isFactor: Bool { (role == .weight || role == .residualWeight) && name.hasPrefix("blocks.") }
}

/// Converts or checks a parameter, float32, as soon as it has been read.
typealias ParameterAdoption = (ParameterDescription, Tensor) throws -> Tensor

extension ModelConfiguration {
  /// Every parameter, in the order in which the model uses them.
  ///
  /// The rows of `qkv` are those of all query heads, all key heads, all value heads. With SwiGLU `gate_up` replaces `up`;
  /// its rows are those of the gate, then those of `up`.
  public var parameters: [ParameterDescription] {
    var list = [ParameterDescription(name: "embedding.weight", shape: [vocabulary, width], role: .embedding)]
    if positions == .learned {
      list.append(ParameterDescription(name: "positions.weight", shape: [context, width], role: .embedding))
    }
    for layer in 0..<layers { list += blockParameters("blocks.\(layer)") }
    list += normParameters("norm")
    if !tiedHead {
      list.append(ParameterDescription(name: "head.weight", shape: [vocabulary, width], role: .weight))
    }
    return list
  }

  /// How many numbers the parameters hold together.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.reduce(1, *) } }

  private func blockParameters(_ name: String) -> [ParameterDescription] {
    let gated = activation == .swiglu
    return normParameters("\(name).attention_norm")
      + linearParameters("\(name).attention.qkv", [queryKeyValueWidth, width], bias: biases != .none)
      + linearParameters(
        "\(name).attention.output", [width, heads * headWidth], bias: biases == .all, role: .residualWeight)
      + normParameters("\(name).feed_forward_norm")
      + linearParameters(
        "\(name).feed_forward.\(gated ? "gate_up" : "up")", [gated ? 2 * feedForward : feedForward, width],
        bias: biases == .all)
      + linearParameters(
        "\(name).feed_forward.down", [width, feedForward], bias: biases == .all, role: .residualWeight)
  }

  private func normParameters(_ name: String) -> [ParameterDescription] {
    let scale = ParameterDescription(name: "\(name).weight", shape: [width], role: .normScale)
    guard norm == .layer, biases == .all else { return [scale] }
    return [scale, ParameterDescription(name: "\(name).bias", shape: [width], role: .bias)]
  }

  private func linearParameters(
    _ name: String, _ shape: [Int], bias: Bool, role: ParameterDescription.Role = .weight
  ) -> [ParameterDescription] {
    let weight = ParameterDescription(name: "\(name).weight", shape: shape, role: role)
    return bias ? [weight, ParameterDescription(name: "\(name).bias", shape: [shape[0]], role: .bias)] : [weight]
  }
}
