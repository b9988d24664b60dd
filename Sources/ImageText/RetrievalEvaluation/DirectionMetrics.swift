import Statistics

/// A direction of retrieval: who asks and who is found.
public enum RetrievalDirection: String, CaseIterable, Sendable {
  case imageToText = "image_to_text"
  case textToImage = "text_to_image"
}

/// Where the queries of one direction found their own candidates.
public struct DirectionMetrics: Equatable, Sendable {
  /// The indices of the queries that have a candidate of their own; the others are left out.
  public let queries: [Int]
  /// How many candidates stand before each query's first own one.
  public let ranks: [Int]
  /// Whether a candidate that is not its own has the score of its best own one.
  public let isTied: [Bool]
  public let candidates: Int
  public let withoutOwn: Int

  /// The k of recall at k that reports state, and that mean recall is the mean over.
  public static let depths = [1, 5, 10]

  public init(_ scores: ScoreTable, own: [[Int]]) {
    var queries: [Int] = []
    var places: [Ranking.Place] = []
    scores.forEachQuery { query, row in
      guard !own[query].isEmpty else { return }
      queries.append(query)
      places.append(Ranking.place(in: row, own: own[query]))
    }
    self.init(
      queries: queries, ranks: places.map(\.rank), isTied: places.map(\.isTied), candidates: scores.candidateCount,
      withoutOwn: own.count - queries.count)
  }

  public init(queries: [Int], ranks: [Int], isTied: [Bool], candidates: Int, withoutOwn: Int) {
    (self.queries, self.ranks, self.isTied) = (queries, ranks, isTied)
    (self.candidates, self.withoutOwn) = (candidates, withoutOwn)
  }

  /// The share of queries with an own candidate among the first k; where there are fewer than k candidates, all count.
  /// Zero without queries.
  public func recall(at k: Int) -> Double { mean(hits(at: k)) }

  /// Whether each query has an own candidate among the first k, as 1 or 0.
  public func hits(at k: Int) -> [Double] { ranks.map { $0 < k ? 1 : 0 } }

  /// For each query the mean of its hits at the depths that reports state.
  public var meanHits: [Double] {
    ranks.map { rank in Double(Self.depths.count { rank < $0 }) / Double(Self.depths.count) }
  }

  /// The mean of recall at 1, 5 and 10.
  public var meanRecall: Double { mean(Self.depths.map(recall)) }

  /// From 1, rounded down as open_clip states it; nil without queries.
  public var medianRank: Int? {
    guard !ranks.isEmpty else { return nil }
    let sorted = ranks.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2 + 1
  }

  /// From 1; nil without queries.
  public var meanRank: Double? {
    ranks.isEmpty ? nil : Double(ranks.reduce(0, +)) / Double(ranks.count) + 1
  }

  public var ties: Int { isTied.count { $0 } }

  private func mean(_ values: [Double]) -> Double {
    values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
  }
}

/// Both directions of retrieval within one set.
public struct RetrievalMetrics: Equatable, Sendable {
  public let imageToText: DirectionMetrics
  public let textToImage: DirectionMetrics

  public init(imageToText: DirectionMetrics, textToImage: DirectionMetrics) {
    (self.imageToText, self.textToImage) = (imageToText, textToImage)
  }

  public subscript(direction: RetrievalDirection) -> DirectionMetrics {
    direction == .imageToText ? imageToText : textToImage
  }

  /// The mean of recall at 1, 5 and 10 in both directions, as the authors of iSogCLR and TempNet state it (`r_mean`).
  public var meanRecall: Double { (imageToText.meanRecall + textToImage.meanRecall) / 2 }
}

/// A figure of retrieval that models are compared by; more is better, a share of 1.
public enum RetrievalMetric: Hashable, Sendable {
  case meanRecall
  case recall(RetrievalDirection, Int)

  public static let all =
    [meanRecall]
    + RetrievalDirection.allCases.flatMap { direction in
      DirectionMetrics.depths.map { recall(direction, $0) }
    }

  /// As metrics files spell it: `mean_recall`, `image_to_text_recall_5`.
  public var name: String {
    switch self {
    case .meanRecall: "mean_recall"
    case .recall(let direction, let k): "\(direction.rawValue)_recall_\(k)"
    }
  }

  public func value(_ metrics: RetrievalMetrics) -> Double {
    switch self {
    case .meanRecall: metrics.meanRecall
    case .recall(let direction, let k): metrics[direction].recall(at: k)
    }
  }

  /// The figure as a mean over the clusters of a set.
  public func mean(_ metrics: RetrievalMetrics, in set: RetrievalSet) -> ClusteredMean {
    func mean(_ direction: RetrievalDirection, _ values: (DirectionMetrics) -> [Double]) -> ClusteredMean {
      let own = metrics[direction]
      let offset = direction == .imageToText ? 0 : set.pictures.count
      return ClusteredMean(values(own), of: own.queries.map { $0 + offset }, in: set.clusters)
    }
    switch self {
    case .meanRecall:
      return ClusteredMean(averaging: RetrievalDirection.allCases.map { mean($0, \.meanHits) })
    case .recall(let direction, let k): return mean(direction) { $0.hits(at: k) }
    }
  }
}
