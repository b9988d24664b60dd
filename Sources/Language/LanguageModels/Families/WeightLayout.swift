import Diagnostics
import ModelDescriptions
import Torch

/// How stored tensors map onto our parameters: names, and how a parameter is made of what bears them.
struct WeightLayout: Sendable {
  /// How a parameter of ours is made of theirs.
  enum Arrangement: Sendable {
    case same
    /// Matrices are stored [in, out].
    case transposed
    /// Several of theirs, the rows of one after those of the other.
    case stacked
    /// As `stacked`, with the rows of queries' and keys' heads in llama.cpp's order, where elements that turn together
    /// are neighbours.
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

  /// Our layers outside blocks, by name.
  let layers: [String: Source]
  /// What stands before a block's number in their names.
  let blockPrefix: String
  /// Our layers within a block, by name.
  let blockLayers: [String: Source]
  /// What a file may leave out at the beginning of all names: models saved without their head lack it.
  var optionalPrefix = ""
  /// Ends of names of stored tables that are no parameters: masks, rotary frequencies.
  var ignoredEnds: [String] = []
}

extension WeightLayout {
  /// Our parameters, made of stored tensors one after the other in float32 and adopted.
  ///
  /// - Throws: `Failure` with `.badData` unless every tensor needed is there with its shape, and no other.
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
    // Before the work, which takes a while for large models.
    try refuse(left, configuration, weights.path)
    return try wanted.map { parameter, names, arrangement, shapes in
      let parts = try zip(names, shapes).map { try weights.tensor($0, shape: $1) }
      let tensor = assembled(parts, arrangement, parameter.shape, configuration)
      // It is the first of all, so that this too comes before the rest of the work.
      if configuration.tiedHead, parameter.name == "embedding.weight" {
        try checkTiedHead(left, NamedTensor(names[0], tensor), weights)
      }
      return try NamedTensor(parameter.name, adopt(parameter, tensor))
    }
  }

  /// Their names for a parameter of ours, such as `blocks.3.attention.qkv.weight`.
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
      // Values do not turn.
      let heads = [configuration.heads, configuration.keyValueHeads]
      return .concatenate(zip(parts, heads).map { fromPairs($0, heads: $1, configuration) } + parts.dropFirst(2))
    case .byHead:
      let byHead = parts[0].reshaped([configuration.heads, 3, configuration.headWidth] + shape.dropFirst())
      return byHead.transposed(0, 1).reshaped(shape)
    }
  }

  /// Rows (head, pair, which of the pair) put in the order (head, which of the pair, pair).
  private func fromPairs(_ rows: Tensor, heads: Int, _ configuration: ModelConfiguration) -> Tensor {
    let rest = Array(rows.shape.dropFirst())
    let byPair = rows.reshaped([heads, configuration.headWidth / 2, 2] + rest)
    return byPair.transposed(1, 2).reshaped(rows.shape)
  }

  /// A tied head is sometimes stored all the same. One that is not the embedding is meant to be used, as transformers does.
  ///
  /// - Parameter embedding: under its name in the file.
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
