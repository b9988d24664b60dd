import RetrievalEvaluation
import Weights

/// `ranks.safetensors`: where every query found its first own candidate, for comparisons of others.
///
/// For run r (from 0, in the order of `metrics.json`), split S and direction D the tensor `r.S.D` holds the ranks, int32
/// [queries], 0 being the best, and `r.S.D.ties`, uint8, whether another candidate has the same score. The tensor
/// `S.D.queries`, int32, holds the positions of the queries in the table, and `S.D.clusters`, int32, their clusters.
enum RankFile {
  static let name = "ranks.safetensors"

  static func write(_ study: RetrievalStudy, to path: String) throws {
    var tensors: [StoredTensor] = []
    func add(_ name: String, _ numbers: [Int]) {
      tensors.append(StoredTensor(name, numbers.map(Int32.init), [numbers.count]))
    }
    for set in study.sets {
      for direction in RetrievalDirection.allCases {
        let label = "\(set.split.name).\(direction.rawValue)"
        let (asking, _) = set.sides(direction)
        guard let queries = study.runs[0].results[set.split]?.metrics[direction].queries else { continue }
        let offset = direction == .imageToText ? 0 : set.pictures.count
        add("\(label).queries", queries.map { asking.positions[$0] })
        add("\(label).clusters", queries.map { set.clusters.ofItem[$0 + offset] })
        for (index, run) in study.runs.enumerated() {
          guard let metrics = run.results[set.split]?.metrics[direction] else { continue }
          add("\(index).\(label)", metrics.ranks)
          tensors.append(
            StoredTensor("\(index).\(label).ties", metrics.isTied.map { $0 ? 1 : 0 as UInt8 }, [metrics.isTied.count]))
        }
      }
    }
    try SafetensorsWriter.write(tensors, to: path)
  }
}
