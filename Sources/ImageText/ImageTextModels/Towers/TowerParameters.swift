import EncoderDescriptions
import Glibc
import Torch

/// A parameter of the two towers: its name in open_clip's weight files, its shape and its initial values.
struct TowerParameter: Equatable, Sendable {
  enum Initial: Equatable, Sendable {
    case zeros
    case ones
    case normal(standardDeviation: Double)
    /// Between ±bound.
    case uniform(bound: Double)
  }

  let name: String
  let shape: [Int]
  let initial: Initial

  /// Draws from the generator that `TorchRuntime.seed` sets.
  func initialTensor() -> Tensor {
    switch initial {
    case .zeros: .zeros(shape)
    case .ones: .ones(shape)
    case .normal(let deviation): .normal(shape, standardDeviation: deviation)
    case .uniform(let bound): .uniform(shape, low: -bound, high: bound)
    }
  }
}

extension TowersConfiguration {
  /// Every parameter, with open_clip's initial values (`CLIP.init_parameters`, PyTorch's defaults where it sets none).
  var parameters: [TowerParameter] { visionParameters + textParameters }

  private var visionParameters: [TowerParameter] {
    let width = vision.width
    let deviation = 1 / sqrt(Double(width))
    func normal(_ name: String, _ shape: [Int]) -> TowerParameter {
      TowerParameter(name: "visual.\(name)", shape: shape, initial: .normal(standardDeviation: deviation))
    }
    let inputs = 3 * vision.patch * vision.patch
    return [
      normal("class_embedding", [width]), normal("positional_embedding", [vision.positions, width]),
      normal("proj", [width, embed]),
      TowerParameter(
        name: "visual.conv1.weight", shape: [width, 3, vision.patch, vision.patch],
        initial: .uniform(bound: 1 / sqrt(Double(inputs)))),
    ] + Self.norm("visual.ln_pre", width)
      + (0..<vision.layers).flatMap {
        Self.block("visual.transformer.resblocks.\($0)", width, vision.block, layers: vision.layers)
      }
      + Self.norm("visual.ln_post", width)
  }

  private var textParameters: [TowerParameter] {
    let width = text.width
    func normal(_ name: String, _ shape: [Int], _ deviation: Double) -> TowerParameter {
      TowerParameter(name: name, shape: shape, initial: .normal(standardDeviation: deviation))
    }
    return [
      normal("positional_embedding", [text.context, width], 0.01),
      normal("text_projection", [width, embed], 1 / sqrt(Double(width))),
      normal("token_embedding.weight", [text.vocabulary, width], 0.02),
    ] + (0..<text.layers).flatMap { Self.block("transformer.resblocks.\($0)", width, text.block, layers: text.layers) }
      + Self.norm("ln_final", width)
  }

  private static func norm(_ name: String, _ width: Int) -> [TowerParameter] {
    [
      TowerParameter(name: "\(name).weight", shape: [width], initial: .ones),
      TowerParameter(name: "\(name).bias", shape: [width], initial: .zeros),
    ]
  }

  private static func block(_ name: String, _ width: Int, _ block: Block, layers: Int) -> [TowerParameter] {
    let inner = block.feedForward
    let (one, deep) = (1 / sqrt(Double(width)), 1 / sqrt(2 * Double(layers)))
    func weight(_ part: String, _ shape: [Int], _ deviation: Double) -> TowerParameter {
      TowerParameter(name: "\(name).\(part)", shape: shape, initial: .normal(standardDeviation: deviation))
    }
    func bias(_ part: String, _ count: Int, _ initial: TowerParameter.Initial) -> TowerParameter {
      TowerParameter(name: "\(name).\(part)", shape: [count], initial: initial)
    }
    return norm("\(name).ln_1", width) + [
      weight("attn.in_proj_weight", [3 * width, width], one), bias("attn.in_proj_bias", 3 * width, .zeros),
      weight("attn.out_proj.weight", [width, width], one * deep), bias("attn.out_proj.bias", width, .zeros),
    ] + norm("\(name).ln_2", width) + [
      weight("mlp.c_fc.weight", [inner, width], 1 / sqrt(2 * Double(width))),
      bias("mlp.c_fc.bias", inner, .uniform(bound: one)),
      weight("mlp.c_proj.weight", [width, inner], one * deep),
      bias("mlp.c_proj.bias", width, .uniform(bound: 1 / sqrt(Double(inner)))),
    ]
  }
}

/// The tensors of a dual encoder's towers by their names.
package struct TowerTensors {
  /// In the order of `TowersConfiguration.parameters`.
  package let list: [NamedTensor]
  private let byName: [String: Tensor]

  package init(_ list: [NamedTensor]) {
    self.list = list
    byName = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.tensor) })
  }

  /// Initial values, each drawn from a generator of its own.
  init(_ configuration: TowersConfiguration, seed: UInt64) {
    // "towers" in ASCII, apart from other draws of the same seed.
    let stream: UInt64 = 0x746F_7765_7273
    self.init(
      configuration.parameters.enumerated().map { index, parameter in
        TorchRuntime.seed(seed, stream: stream, index: UInt64(index))
        return NamedTensor(parameter.name, parameter.initialTensor())
      })
  }

  package subscript(name: String) -> Tensor {
    guard let tensor = byName[name] else { preconditionFailure("the towers have no \(name)") }
    return tensor
  }

  func linear(_ name: String) -> Linear { Linear(weight: self["\(name).weight"], bias: self["\(name).bias"]) }

  package func norm(_ name: String, _ epsilon: Double) -> LayerNorm {
    LayerNorm(weight: self["\(name).weight"], bias: self["\(name).bias"], epsilon: epsilon)
  }

  /// A block of either tower.
  package func block(_ name: String, heads: Int, _ block: TowersConfiguration.Block) -> EncoderBlock {
    EncoderBlock(
      attentionNorm: norm("\(name).ln_1", block.normEpsilon),
      queryKeyValue: Linear(weight: self["\(name).attn.in_proj_weight"], bias: self["\(name).attn.in_proj_bias"]),
      output: linear("\(name).attn.out_proj"), feedForwardNorm: norm("\(name).ln_2", block.normEpsilon),
      up: linear("\(name).mlp.c_fc"), down: linear("\(name).mlp.c_proj"), heads: heads, order: .first,
      activation: block.activation)
  }
}
