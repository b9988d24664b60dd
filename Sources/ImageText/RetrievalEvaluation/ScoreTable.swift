import Torch

/// The scores of queries and candidates: products of their unit rows in float32.
///
/// Products are computed in tiles of one fixed size, padded with zeros, so that a score does not depend on how many others
/// are computed. Equal candidates, by their group or by the bits of their rows, are scored once and share that score, so
/// that ties are exact.
public struct ScoreTable: Sendable {
  public static let tileQueries = 256
  public static let tileCandidates = 1024

  public let queryCount: Int
  public let candidateCount: Int
  private let queries: Tensor
  /// Different candidate rows, in tiles, each [tileCandidates, D].
  private let tiles: [Tensor]
  /// Where each candidate's score for the first query of a tile is among the scores of all tiles.
  private let places: [Int]

  /// - Parameters:
  ///   - queries: float32 [Q, D].
  ///   - candidates: float32 [C, D], C at least 1.
  ///   - first: for each candidate the index of the first that equals it; nil where none is known to.
  public init(queries: Tensor, candidates: Tensor, first: [Int]? = nil) {
    precondition(queries.rank == 2 && candidates.rank == 2 && queries.size(1) == candidates.size(1), "other widths")
    (queryCount, candidateCount) = (queries.size(0), candidates.size(0))
    self.queries = queries.to(.float32)
    let distinct = DistinctRows(candidates.to(.float32), first: first ?? Array(0..<candidateCount))
    places = distinct.rowOf.map { row in
      row / Self.tileCandidates * Self.tileQueries * Self.tileCandidates + row % Self.tileCandidates
    }
    let rows = candidates.to(.float32).selected(0, indices: Tensor(distinct.representatives))
    tiles = stride(from: 0, to: rows.size(0), by: Self.tileCandidates).map { start in
      Self.padded(rows[start..<min(start + Self.tileCandidates, rows.size(0))], to: Self.tileCandidates)
    }
  }

  /// Calls `body` with each query's index and its scores of all candidates in their order.
  public func forEachQuery(_ body: (Int, UnsafeBufferPointer<Float>) throws -> Void) rethrows {
    var scores = [Float](repeating: 0, count: candidateCount)
    for start in stride(from: 0, to: queryCount, by: Self.tileQueries) {
      let end = min(start + Self.tileQueries, queryCount)
      let block = Self.padded(queries[start..<end], to: Self.tileQueries)
      let products = withoutGradients { Tensor.stack(tiles.map { block.matmul($0.transposed()) }).floats }
      for query in start..<end {
        fill(&scores, from: products, row: query - start)
        try scores.withUnsafeBufferPointer { try body(query, $0) }
      }
    }
  }

  private func fill(_ scores: inout [Float], from products: [Float], row: Int) {
    let offset = row * Self.tileCandidates
    scores.withUnsafeMutableBufferPointer { scores in
      products.withUnsafeBufferPointer { products in
        places.withUnsafeBufferPointer { places in
          for candidate in scores.indices { scores[candidate] = products[places[candidate] + offset] }
        }
      }
    }
  }

  private static func padded(_ rows: Tensor, to count: Int) -> Tensor {
    let missing = count - rows.size(0)
    return missing == 0 ? rows : .concatenate([rows, .zeros([missing, rows.size(1)])])
  }
}

/// Candidates whose rows differ.
private struct DistinctRows {
  /// Candidates, one for each different row.
  private(set) var representatives: [Int] = []
  /// For each candidate the index of its representative.
  private(set) var rowOf: [Int] = []

  init(_ candidates: Tensor, first: [Int]) {
    let length = candidates.size(1) * MemoryLayout<Float>.size
    var known: [[UInt8]: Int] = [:]
    candidates.withBytes { bytes in
      for (candidate, first) in first.enumerated() {
        if first < candidate {
          rowOf.append(rowOf[first])
          continue
        }
        let row = Array(bytes[candidate * length..<(candidate + 1) * length])
        if let index = known[row] {
          rowOf.append(index)
        } else {
          known[row] = representatives.count
          rowOf.append(representatives.count)
          representatives.append(candidate)
        }
      }
    }
  }
}
