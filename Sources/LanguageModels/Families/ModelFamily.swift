import Artifacts
import Diagnostics
import Torch
import Weights

/// How the published models of one architecture (in Hugging Face's form) map onto ours: their `config.json` onto a
/// `ModelConfiguration`, their tensors onto our parameters.
public struct ModelFamily: Sendable {
  /// How a parameter of ours is made of theirs.
  enum Arrangement: Sendable {
    case same
    /// Matrices are stored [in, out].
    case transposed
    /// Several of theirs, the rows of one after those of the other.
    case stacked
    /// Rows in the order head, then query, key or value, then element.
    case byHead
  }

  struct Source: Sendable {
    let names: [String]
    let arrangement: Arrangement

    init(_ names: String..., arrangement: Arrangement = .same) {
      self.names = names
      self.arrangement = arrangement
    }
  }

  /// The values of `model_type` that this family answers to.
  public let modelTypes: [String]
  /// Reads the members of a `config.json`; what is not supported is refused by name.
  let readConfiguration: @Sendable (_ fields: inout JSONFields, _ source: String) throws -> ModelConfiguration
  /// Our layers outside blocks, by name.
  let layers: [String: Source]
  /// What stands before a block's number in their names.
  let blockPrefix: String
  /// Our layers within a block, by name.
  let blockLayers: [String: Source]
  /// Ends of names of stored tables that are no parameters: masks, rotary frequencies.
  let ignoredEnds: [String]

  public static let all = [gpt2, neox, llama]
}

extension ModelFamily {
  /// The family and configuration that a `config.json` of Hugging Face's form describes.
  ///
  /// - Throws: `Failure` with `.badData`, naming what is not supported.
  public static func read(_ json: JSON, source: String) throws -> (family: ModelFamily, ModelConfiguration) {
    var fields = try JSONFields(json, source: source)
    let type = try fields.string("model_type")
    guard let family = all.first(where: { $0.modelTypes.contains(type) }) else {
      let known = all.flatMap(\.modelTypes).joined(separator: ", ")
      throw fields.failure("model_type", "is \"\(type)\"; supported are \(known)")
    }
    return (family, try family.readConfiguration(&fields, source))
  }

  /// Our parameters in float32, made of a file's tensors.
  ///
  /// - Throws: `Failure` with `.badData` unless every tensor needed is there with its shape, and no other.
  public func parameters(_ configuration: ModelConfiguration, from file: SafetensorsFile) throws -> [NamedTensor] {
    var left = Set(file.entries.map(\.name))
    let parameters = try configuration.parameters.map { parameter in
      let (names, arrangement) = source(of: parameter.name)
      let shapes = shapes(of: names, arrangement, parameter, configuration)
      let parts = try zip(names, shapes).map { name, shape in
        left.remove(name)
        return try Tensor(try file.floatingPointEntry(name, shape: shape)).to(.float32)
      }
      return NamedTensor(parameter.name, assembled(parts, arrangement, parameter.shape, configuration))
    }
    try refuse(left, configuration, file.path)
    return parameters
  }

  /// Their names for a parameter of ours, such as `blocks.3.attention.qkv.weight`.
  private func source(of parameter: String) -> (names: [String], Arrangement) {
    var path = parameter.split(separator: ".").map(String.init)
    let end = path.removeLast()
    var (table, prefix) = (layers, "")
    if path[0] == "blocks" {
      (table, prefix) = (blockLayers, "\(blockPrefix).\(path[1]).")
      path.removeFirst(2)
    }
    guard let source = table[path.joined(separator: ".")] else { preconditionFailure("no source for \(parameter)") }
    return (source.names.map { "\(prefix)\($0).\(end)" }, source.arrangement)
  }

  private func shapes(
    of names: [String], _ arrangement: Arrangement, _ parameter: ParameterDescription,
    _ configuration: ModelConfiguration
  ) -> [[Int]] {
    switch arrangement {
    case .same, .byHead: return [parameter.shape]
    case .transposed: return [parameter.shape.reversed()]
    case .stacked:
      let (queries, keys) = (configuration.heads, configuration.keyValueHeads)
      let rows =
        names.count == 3
        ? [queries, keys, keys].map { $0 * configuration.headWidth }
        : names.map { _ in parameter.shape[0] / names.count }
      return rows.map { [$0] + parameter.shape.dropFirst() }
    }
  }

  private func assembled(
    _ parts: [Tensor], _ arrangement: Arrangement, _ shape: [Int], _ configuration: ModelConfiguration
  ) -> Tensor {
    switch arrangement {
    case .same: return parts[0]
    case .transposed: return parts[0].rank == 2 ? parts[0].transposed().contiguous() : parts[0]
    case .stacked: return .concatenate(parts)
    case .byHead:
      let byHead = parts[0].reshaped([configuration.heads, 3, configuration.headWidth] + shape.dropFirst())
      return byHead.transposed(0, 1).reshaped(shape)
    }
  }

  private func refuse(_ left: Set<String>, _ configuration: ModelConfiguration, _ path: String) throws {
    // A tied head is sometimes stored all the same.
    let tiedHead = layers["head"]!.names.map { "\($0).weight" }
    let unexpected = left.sorted().filter { name in
      !ignoredEnds.contains { name.hasSuffix($0) } && !(configuration.tiedHead && tiedHead.contains(name))
    }
    guard unexpected.isEmpty else { throw Failure.unexpectedTensors(unexpected, at: path) }
  }
}
