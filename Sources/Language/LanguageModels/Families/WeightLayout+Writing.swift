import ModelDescriptions
import Torch

extension WeightLayout {
  /// Parameters under the stored names and in the stored arrangement; `parameters` reads them back.
  func stored(_ parameters: [NamedTensor], _ configuration: ModelConfiguration) -> [(name: String, tensor: Tensor)] {
    parameters.flatMap { parameter in
      let (names, arrangement) = source(of: parameter.name)
      return zip(names, parts(of: parameter.tensor, names.count, arrangement, configuration)).map { ($0, $1) }
    }
  }

  private func parts(
    of tensor: Tensor, _ count: Int, _ arrangement: Arrangement, _ configuration: ModelConfiguration
  ) -> [Tensor] {
    switch arrangement {
    case .same: return [tensor]
    case .transposed: return [tensor.rank == 2 ? tensor.transposed().contiguous() : tensor]
    case .stacked, .stackedByPairs:
      let (queries, keys) = (configuration.heads, configuration.keyValueHeads)
      guard count == 3 else { return tensor.chunks(count, dimension: 0).map { $0.contiguous() } }
      let parts = tensor.split([queries, keys, keys].map { $0 * configuration.headWidth }, dimension: 0)
      guard arrangement == .stackedByPairs else { return parts.map { $0.contiguous() } }
      return [
        toPairs(parts[0], heads: queries, configuration), toPairs(parts[1], heads: keys, configuration),
        parts[2].contiguous(),
      ]
    case .byHead:
      let byKind = tensor.reshaped([3, configuration.heads, configuration.headWidth] + tensor.shape.dropFirst())
      return [byKind.transposed(0, 1).reshaped(tensor.shape)]
    }
  }

  /// Reorders rows (head, member of the pair, pair) to (head, pair, member).
  private func toPairs(_ rows: Tensor, heads: Int, _ configuration: ModelConfiguration) -> Tensor {
    let byPart = rows.reshaped([heads, 2, configuration.headWidth / 2] + rows.shape.dropFirst())
    return byPart.transposed(1, 2).reshaped(rows.shape)
  }
}
