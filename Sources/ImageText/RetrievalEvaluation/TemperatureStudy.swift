import Glibc
import JSON
import Pairs
import Statistics
import TempNet
import TemperatureSettings
import Torch

/// The temperatures of one direction's queries, and what they go with.
public struct TemperatureStudy: Sendable {
  /// Of the run, for people.
  public let run: String
  public let split: PairSplit
  public let direction: RetrievalDirection
  /// `exact`, or the name of a TempNet.
  public let policy: String
  /// The divergence budget in nats.
  public let rho: Double
  /// Of each query in the order of its side of the set, in units of similarity.
  public let temperatures: [Float]
  /// How many training pictures show each query's concept; 0 for those without one.
  public let frequencies: [Float]
  /// How many candidates that are not its own lie near each query.
  public let near: [Float]

  public var frequencyCorrelation: Correlation { Correlation(of: temperatures, and: frequencies) }
  public var nearCorrelation: Correlation { Correlation(of: temperatures, and: near) }

  public init(
    run: String, split: PairSplit, direction: RetrievalDirection, policy: String, rho: Double, temperatures: [Float],
    frequencies: [Float], near: [Float]
  ) {
    (self.run, self.split, self.direction, self.policy) = (run, split, direction, policy)
    (self.rho, self.temperatures, self.frequencies, self.near) = (rho, temperatures, frequencies, near)
  }
}

/// A query's candidates without its own, of equal ones one.
public struct NegativeCandidates: Sendable {
  /// Near is what is more similar than this share of all pairs that do not belong together.
  public static let nearShare = 0.01

  private let scores: ScoreTable
  private let own: [[Int]]
  private let distinct: [Int]

  public init(_ scores: ScoreTable, candidates: RetrievalSet.Candidates, own: [[Int]]) {
    self.scores = scores
    self.own = own
    distinct = candidates.first.indices.filter { candidates.first[$0] == $0 }
  }

  /// The number of different candidates.
  public var count: Int { distinct.count }

  /// The temperatures, in units of similarity, that minimise each query's robust loss over its negatives: those at which
  /// the entropy of softmax(s / τ) is ln n - ρ for n negatives.
  ///
  /// - Parameters:
  ///   - scale: the model's factor between similarities and logits.
  ///   - bounds: in multiples of 1 / scale.
  public func exactTemperatures(rho: Double, scale: Double, in bounds: ClosedRange<Double>) -> [Float] {
    var temperatures = [Float](repeating: 0, count: scores.queryCount)
    var rows: [Int: (queries: [Int], logits: [Float])] = [:]
    func solve(_ count: Int) {
      guard let (queries, logits) = rows.removeValue(forKey: count) else { return }
      let solved = ExactTemperature.solve(
        logits: Tensor(logits, shape: [queries.count, count]), rho: rho, bounds: bounds
      ).doubles
      for (query, tau) in zip(queries, solved) { temperatures[query] = Float(tau / scale) }
    }
    forEachQuery { query, row, negatives in
      let negatives = negatives.map { row[$0] * Float(scale) }
      rows[negatives.count, default: ([], [])].queries.append(query)
      rows[negatives.count]!.logits += negatives
      if rows[negatives.count]!.queries.count == Self.rowsPerSolution { solve(negatives.count) }
    }
    for count in rows.keys.sorted() { solve(count) }
    return temperatures
  }

  private static let rowsPerSolution = 256

  /// How many negatives lie near each query: above the score that a hundredth of all scores of negatives exceed.
  public func nearCounts() -> [Float] {
    // Cosines lie between -1 and 1; a histogram this fine stands for the quantile.
    let cells = 20_000
    var histogram = [Int](repeating: 0, count: cells)
    func cell(_ score: Float) -> Int { min(max(Int((Double(score) + 1) / 2 * Double(cells)), 0), cells - 1) }
    forEachQuery { _, row, negatives in
      for candidate in negatives { histogram[cell(row[candidate])] += 1 }
    }
    var (left, threshold) = (Int(Self.nearShare * Double(histogram.reduce(0, +))), cells)
    while threshold > 0, left >= histogram[threshold - 1] {
      threshold -= 1
      left -= histogram[threshold]
    }
    var counts = [Float](repeating: 0, count: scores.queryCount)
    forEachQuery { query, row, negatives in
      counts[query] = Float(negatives.count { cell(row[$0]) >= threshold })
    }
    return counts
  }

  /// Calls `body` with each query, its scores, and the indices of its negatives.
  private func forEachQuery(_ body: (Int, UnsafeBufferPointer<Float>, [Int]) -> Void) {
    var isOwn = [Bool](repeating: false, count: scores.candidateCount)
    scores.forEachQuery { query, row in
      for candidate in own[query] { isOwn[candidate] = true }
      body(query, row, distinct.filter { !isOwn[$0] })
      for candidate in own[query] { isOwn[candidate] = false }
    }
  }
}
