/// In which forward passes sequences are scored: the same for the same sequences, whatever was done before, so that an
/// interrupted pass goes on to the same bytes.
public struct ScoringPlan: Equatable, Sendable {
  public struct Row: Equatable, Sendable {
    public let tree: PrefixTree
    /// For each sequence to be scored its number and its path in the tree.
    public let members: [Member]

    fileprivate init(tree: PrefixTree, members: [Member]) {
      self.tree = tree
      self.members = members
    }

    fileprivate init(alone sequence: ScoredSequence, number: Int) {
      var tree = PrefixTree()
      tree.add(sequence.inputs)
      self.init(tree: tree, members: [Member(sequence: number, path: 0)])
    }
  }

  public struct Member: Equatable, Sendable {
    public let sequence: Int
    public let path: Int
  }

  /// Rows that go through the model together; the longest first.
  public let batches: [[Row]]

  /// One sequence per pass, so that its score depends on nothing else.
  public init(alone sequences: [ScoredSequence]) {
    batches = Self.longestFirst(sequences.enumerated().map { Row(alone: $1, number: $0) }).map { [$0] }
  }

  /// Equal inputs are read once, and beginnings that sequences have in common once as far as that saves work.
  ///
  /// - Parameters:
  ///   - batchTokens: how many tokens a batch may have, padding included; a row may have more.
  ///   - constantLength: a longer sequence gets a batch of its own, because its length changes what a model with dynamic
  ///     rotary scaling makes of whatever goes through together with it.
  public init(sharing sequences: [ScoredSequence], batchTokens: Int, constantLength: Int? = nil) {
    let isLong = sequences.map { sequence in constantLength.map { sequence.inputs.count > $0 } ?? false }
    let order = sequences.indices.filter { !isLong[$0] }.sorted { a, b in
      let (x, y) = (sequences[a].inputs, sequences[b].inputs)
      return x == y ? a < b : x.lexicographicallyPrecedes(y)
    }
    var rows: [Row] = []
    var tree = PrefixTree()
    var members: [Member] = []
    func close() {
      if !members.isEmpty { rows.append(Row(tree: tree, members: members)) }
      (tree, members) = (PrefixTree(), [])
    }
    for index in order {
      let inputs = sequences[index].inputs
      let shared = tree.shared(with: inputs)
      let isKnown = shared == inputs.count && tree.paths.last?.count == shared
      if !isKnown {
        if !Self.isWorthwhile(adding: inputs.count, sharing: shared, to: tree.tokens.count) { close() }
        tree.add(inputs)
      }
      members.append(Member(sequence: index, path: tree.paths.count - 1))
    }
    close()
    let long = sequences.indices.filter { isLong[$0] }.map { Row(alone: sequences[$0], number: $0) }
    batches =
      Self.longestFirst(long).map { [$0] } + Self.batches(Self.longestFirst(rows), tokens: batchTokens)
  }

  /// Rows longer than this are only made of one sequence: every token is compared with every other of its row, which at
  /// this length takes 64 MiB for each row.
  public static let longestSharedRow = 4096
  /// The cost of attention per token of a row, as a share of all other cost.
  static let attentionCost = 1.0 / 2048

  private static func isWorthwhile(adding count: Int, sharing shared: Int, to row: Int) -> Bool {
    func cost(_ tokens: Int) -> Double { Double(tokens) * (1 + attentionCost * Double(tokens)) }
    let together = row + count - shared
    return together <= longestSharedRow && cost(together) - cost(row) < cost(count)
  }

  /// Rows of like length side by side need little padding, and what does not fit in memory fails at once.
  private static func longestFirst(_ rows: [Row]) -> [Row] {
    rows.enumerated().sorted { ($1.element.tree.tokens.count, $0.offset) < ($0.element.tree.tokens.count, $1.offset) }
      .map(\.element)
  }

  private static func batches(_ rows: [Row], tokens: Int) -> [[Row]] {
    var batches: [[Row]] = []
    var start = 0
    while start < rows.count {
      let end = min(rows.count, start + max(1, tokens / rows[start].tree.tokens.count))
      batches.append(Array(rows[start..<end]))
      start = end
    }
    return batches
  }
}
