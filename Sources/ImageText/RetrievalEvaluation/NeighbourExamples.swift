import Pairs

/// What some queries of one direction find first.
public struct NeighbourExamples: Sendable {
  public struct Found: Equatable, Sendable {
    /// The position in the table.
    public let position: Int
    public let score: Float
    public let isOwn: Bool
  }

  public struct Example: Equatable, Sendable {
    /// The position of the query in the table.
    public let query: Int
    public let found: [Found]
  }

  public let run: String
  public let split: PairSplit
  public let direction: RetrievalDirection
  public let examples: [Example]

  /// - Parameters:
  ///   - queries: indices of the queries to show, ascending.
  ///   - depth: how many candidates to show of each.
  public init(
    _ scores: ScoreTable, of set: RetrievalSet, direction: RetrievalDirection, run: String, queries: [Int], depth: Int
  ) {
    let (asking, searched) = set.sides(direction)
    let wanted = Set(queries)
    var examples: [Example] = []
    scores.forEachQuery { query, row in
      guard wanted.contains(query) else { return }
      let order = searched.positions.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }
      examples.append(
        Example(
          query: asking.positions[query],
          found: order.prefix(depth).map { index in
            Found(
              position: searched.positions[index], score: row[index], isOwn: asking.own[query].contains(index))
          }))
    }
    (self.run, split, self.direction, self.examples) = (run, set.split, direction, examples)
  }
}
