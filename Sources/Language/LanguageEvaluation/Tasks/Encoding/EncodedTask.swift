import Diagnostics

/// A task as a model reads it: every request in one or several sequences.
public struct EncodedTask: Sendable {
  /// In the order of items, requests, windows.
  public let sequences: [ScoredSequence]
  /// The sequences of each request of each item.
  public let ranges: [[Range<Int>]]
  /// Pairs with a token that reaches over the join.
  public let mergedJoins: Int
  /// Requests whose context lost its beginning.
  public let truncated: Int

  /// - Parameter length: how many tokens the model reads.
  /// - Throws: `Failure(.badData)` with the item's place for a continuation that has no tokens or more than fit: its score
  ///   would mean nothing.
  public init(
    _ task: ScoringTask, _ encoder: PairEncoder<some ScoringTokenizer>, length: Int
  ) throws {
    var sequences: [ScoredSequence] = []
    var (mergedJoins, truncated) = (0, 0)
    ranges = try task.items.map { item in
      try Interruption.check()
      return try item.requests.map { request in
        let start = sequences.count
        let pairs =
          request.isPage
          ? encoder.encode(page: request.continuation, length: length)
          : [encoder.encode(context: request.context, continuation: request.continuation)]
        for pair in pairs {
          guard !pair.continuation.isEmpty else {
            throw Failure(.badData, "a continuation has no token of its own: '\(request.continuation)'", at: item.place)
          }
          guard let sequence = ScoredSequence(pair, length: length) else {
            throw Failure(
              .badData, "a continuation has \(pair.continuation.count) tokens, but the model reads \(length)",
              at: item.place)
          }
          if pair.mergesAcrossJoin { mergedJoins += 1 }
          if sequence.isTruncated { truncated += 1 }
          sequences.append(sequence)
        }
        return start..<sequences.count
      }
    }
    self.sequences = sequences
    self.mergedJoins = mergedJoins
    self.truncated = truncated
  }
}
