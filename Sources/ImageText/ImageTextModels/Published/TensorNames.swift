import Diagnostics
import EncoderDescriptions
import Torch

/// How the tensors of one form of file are called.
enum TensorNames {
  /// open_clip's own.
  case openClip
  /// open_clip's with the text tower under `text.` (`CustomTextCLIP`).
  case openClipCustom
  case transformers

  /// The name in the file of a parameter that open_clip's form has as one tensor.
  func stored(_ name: String) -> String {
    switch self {
    case .openClip: name
    case .openClipCustom: name.hasPrefix("visual.") ? name : "text.\(name)"
    case .transformers: preconditionFailure("transformers has several tensors for one")
    }
  }

  /// A parameter's tensor.
  ///
  /// - Parameter use: is told each name that was read.
  func tensor(
    _ parameter: TowerParameter, _ configuration: TowersConfiguration, _ weights: StateDict, _ use: (String) -> Void
  ) throws -> Tensor {
    guard case .transformers = self else {
      let name = stored(parameter.name)
      use(name)
      return try weights.tensor(name, shape: parameter.shape)
    }
    return try TransformersNames(parameter.name).tensor(parameter.shape, weights, use)
  }
}

enum OpenClipNames {
  /// - Throws: `Failure(.badData)` where the tensors are not CLIP's.
  static func form(of weights: StateDict) throws -> TensorNames {
    for (name, form) in [
      ("token_embedding.weight", TensorNames.openClip), ("text.token_embedding.weight", .openClipCustom),
    ] where weights.has(name) && weights.has("visual.conv1.weight") { return form }
    throw Failure(
      .badData,
      "holds no tensors of a CLIP with a vision transformer by the names of open_clip (visual.conv1.weight, "
        + "token_embedding.weight) or transformers (\(TransformersNames.patches))", at: weights.path)
  }
}

/// Where transformers' `CLIPModel` has an open_clip parameter.
package struct TransformersNames {
  static let patches = "vision_model.embeddings.patch_embedding.weight"

  private enum Place {
    case one(String)
    /// Stored the other way round, as the weight of a linear layer.
    case transposed(String)
    /// Queries, keys and values one below the other.
    case three([String])
  }

  private let place: Place

  /// - Parameter name: of the parameter.
  package init(_ name: String) { place = Self.place(name) }

  /// The tensors that stand there for the parameter's.
  package func tensors(_ tensor: Tensor) -> [NamedTensor] {
    switch place {
    case .one(let name): [NamedTensor(name, tensor)]
    case .transposed(let name): [NamedTensor(name, tensor.transposed().contiguous())]
    case .three(let names):
      zip(names, tensor.chunks(names.count, dimension: 0)).map { NamedTensor($0, $1.contiguous()) }
    }
  }

  func tensor(_ shape: [Int], _ weights: StateDict, _ use: (String) -> Void) throws -> Tensor {
    switch place {
    case .one(let name):
      use(name)
      return try weights.tensor(name, shape: shape)
    case .transposed(let name):
      use(name)
      return try weights.tensor(name, shape: shape.reversed()).transposed().contiguous()
    case .three(let names):
      let part = [shape[0] / 3] + shape.dropFirst()
      return .concatenate(
        try names.map { name in
          use(name)
          return try weights.tensor(name, shape: part)
        })
    }
  }

  private static let fixed: [String: Place] = [
    "visual.class_embedding": .one("vision_model.embeddings.class_embedding"),
    "visual.positional_embedding": .one("vision_model.embeddings.position_embedding.weight"),
    "visual.conv1.weight": .one(patches), "visual.proj": .transposed("visual_projection.weight"),
    "positional_embedding": .one("text_model.embeddings.position_embedding.weight"),
    "token_embedding.weight": .one("text_model.embeddings.token_embedding.weight"),
    "text_projection": .transposed("text_projection.weight"),
  ]
  /// The misspelt one is theirs.
  private static let norms = [
    "visual.ln_pre": "vision_model.pre_layrnorm", "visual.ln_post": "vision_model.post_layernorm",
    "ln_final": "text_model.final_layer_norm",
  ]
  private static let inBlocks = [
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
  ]

  private static func place(_ name: String) -> Place {
    if let place = fixed[name] { return place }
    let dot = name.lastIndex(of: ".") ?? name.endIndex
    let (owner, leaf) = (String(name[..<dot]), String(name[dot...]))
    if let norm = norms[owner] { return .one(norm + leaf) }
    let isVisual = name.hasPrefix("visual.")
    let parts = name.dropFirst(isVisual ? "visual.".count : 0).split(separator: ".", maxSplits: 3)
    guard parts.count == 4, parts[1] == "resblocks" else { preconditionFailure("no place for \(name)") }
    let layer = "\(isVisual ? "vision" : "text")_model.encoder.layers.\(parts[2])"
    let rest = String(parts[3])
    for (own, other) in inBlocks where rest.hasPrefix("\(own).") { return .one("\(layer).\(other)\(leaf)") }
    guard rest.hasPrefix("attn.in_proj_") else { preconditionFailure("no place for \(name)") }
    let kind = rest.dropFirst("attn.in_proj_".count)
    return .three(["q", "k", "v"].map { "\(layer).self_attn.\($0)_proj.\(kind)" })
  }
}
