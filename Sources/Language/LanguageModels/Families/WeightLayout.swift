import Diagnostics
import ModelDescriptions
import Torch

/// The mapping from stored tensors to parameters: names, and the arrangement of rows.
struct WeightLayout: Sendable {
  /// How a parameter is assembled from stored tensors.
  enum Arrangement: Sendable {
    case same
    /// Matrices are stored [in, out].
    case transposed
    /// Several stored tensors; their rows follow one another.
    case stacked
    /// As `stacked`, with the rows of queries and keys in llama.cpp's order: the two elements of a rotated pair are neighbours.
    case stackedByPairs
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

  /// The sources of layers outside blocks, by the layer's name here.
  let layers: [String: Source]
  /// The stored names' part before a block's number.
  let blockPrefix: String
  /// The sources of layers within a block, by the layer's name here.
  let blockLayers: [String: Source]
  /// A prefix of all names that a file may omit, as models saved without their head do.
  var optionalPrefix = ""
  /// Suffixes of the names of stored tables that are no parameters: masks, rotary frequencies.
  var ignoredEnds: [String] = []
}

extension WeightLayout {
  /// The parameters in float32, assembled one after the other and passed through `adopt`.
  ///
  /// - Throws: `Failure` with `.badData` unless the file holds exactly the needed tensors, in their shapes.
  func parameters(
    _ configuration: ModelConfiguration, from weights: some WeightSource, _ adopt: ParameterAdoption = { $1 }
  ) throws -> [NamedTensor] {
    try weights.check(configuration)
    var left = Set(weights.tensorNames)
    let isBare = !optionalPrefix.isEmpty && !left.contains { $0.hasPrefix(optionalPrefix) }
    let wanted = configuration.parameters.map { parameter in
      var (names, arrangement) = source(of: parameter.name)
      if isBare {
        names = names.map { $0.hasPrefix(optionalPrefix) ? String($0.dropFirst(optionalPrefix.count)) : $0 }
      }
      return (parameter, names, arrangement, shapes(of: names, arrangement, parameter, configuration))
    }
    for (_, names, _, _) in wanted { left.subtract(names) }
    // Before reading, which takes a while for large models.
    try refuse(left, configuration, weights.path)
    return try wanted.map { parameter, names, arrangement, shapes in
      let parts = try zip(names, shapes).map { try weights.tensor($0, shape: $1) }
      let tensor = assembled(parts, arrangement, parameter.shape, configuration)
      // The embedding is the first parameter, so that this check too comes before most of the reading.
      if configuration.tiedHead, parameter.name == "embedding.weight" {
        try checkTiedHead(left, NamedTensor(names[0], tensor), weights)
      }
      return try NamedTensor(parameter.name, adopt(parameter, tensor))
    }
  }

  /// The stored names for a parameter such as `blocks.3.attention.qkv.weight`.
  func source(of parameter: String) -> (names: [String], Arrangement) {
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
    case .stacked, .stackedByPairs:
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
    case .stackedByPairs:
      // Values are not rotated.
      let heads = [configuration.heads, configuration.keyValueHeads]
      return .concatenate(zip(parts, heads).map { fromPairs($0, heads: $1, configuration) } + parts.dropFirst(2))
    case .byHead:
      let byHead = parts[0].reshaped([configuration.heads, 3, configuration.headWidth] + shape.dropFirst())
      return byHead.transposed(0, 1).reshaped(shape)
    }
  }

  /// Reorders rows (head, pair, member of the pair) to (head, member, pair).
  private func fromPairs(_ rows: Tensor, heads: Int, _ configuration: ModelConfiguration) -> Tensor {
    let rest = Array(rows.shape.dropFirst())
    let byPair = rows.reshaped([heads, configuration.headWidth / 2, 2] + rest)
    return byPair.transposed(1, 2).reshaped(rows.shape)
  }

  /// Refuses a stored head that differs from the embedding to which the configuration ties it: transformers would use the
  /// stored one.
  ///
  /// - Parameter embedding: with its name in the file.
  private func checkTiedHead(_ left: Set<String>, _ embedding: NamedTensor, _ weights: some WeightSource) throws {
    guard let head = layers["head"]!.names.map({ "\($0).weight" }).first(where: left.contains) else { return }
    let same = try weights.tensor(head, shape: embedding.tensor.shape).equal(embedding.tensor)
    guard same.not().to(.int64).sum().item == 0 else {
      throw Failure(
        .badData, "holds a \(head) other than \(embedding.name), to which the configuration ties it", at: weights.path)
    }
  }

  private func refuse(_ left: Set<String>, _ configuration: ModelConfiguration, _ path: String) throws {
    let tiedHead = layers["head"]!.names.map { "\($0).weight" }
    let unexpected = left.sorted().filter { name in
      !ignoredEnds.contains { name.hasSuffix($0) } && !(configuration.tiedHead && tiedHead.contains(name))
    }
    guard unexpected.isEmpty else { throw Failure.unexpectedTensors(unexpected, at: path) }
  }
}
