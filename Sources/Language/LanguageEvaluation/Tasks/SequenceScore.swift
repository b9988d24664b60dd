import JSON

/// The scores of one sequence: sums over the tokens that it predicts.
public struct SequenceScore: Equatable, Sendable {
  public var tokens = 0
  public var isGreedy = true
  /// Of the predictions at temperature 1, in nats.
  public var entropy = 0.0
  /// By policy.
  public var logLikelihoods: [Double]
  public var temperatures: [Double]

  public init(policies: Int) {
    logLikelihoods = [Double](repeating: 0, count: policies)
    temperatures = logLikelihoods
  }

  mutating func add(_ other: SequenceScore) {
    tokens += other.tokens
    isGreedy = isGreedy && other.isGreedy
    entropy += other.entropy
    for policy in logLikelihoods.indices {
      logLikelihoods[policy] += other.logLikelihoods[policy]
      temperatures[policy] += other.temperatures[policy]
    }
  }
}

extension RequestScore {
  /// A request that was scored in several sequences, or in none because it is empty.
  public init(_ sequences: some Sequence<SequenceScore>, policies: Int) {
    var sum = SequenceScore(policies: policies)
    for sequence in sequences { sum.add(sequence) }
    let tokens = Double(max(1, sum.tokens))
    self.init(
      tokens: sum.tokens, isGreedy: sum.isGreedy, entropy: sum.entropy / tokens, logLikelihoods: sum.logLikelihoods,
      temperatures: sum.temperatures.map { $0 / tokens })
  }
}

// MARK: - Lines of the log

extension SequenceScore {
  /// As a line that reads back to equal numbers.
  public func line(_ sequence: Int) -> String {
    let json: JSON = [
      .integer(sequence), .integer(tokens), .bool(isGreedy), .number(entropy), .array(logLikelihoods.map(JSON.number)),
      .array(temperatures.map(JSON.number)),
    ]
    return json.compact + "\n"
  }

  /// Reads a line; nil for anything else, such as the rest of an interrupted write.
  public static func parse(_ line: some Collection<UInt8>, policies: Int) -> (sequence: Int, SequenceScore)? {
    guard let members = try? JSON(parsing: line, source: "log", for: .strict).arrayValue, members.count == 6,
      let sequence = members[0].intValue, let tokens = members[1].intValue, let isGreedy = members[2].boolValue,
      let entropy = members[3].doubleValue, let logLikelihoods = members[4].doubles(policies),
      let temperatures = members[5].doubles(policies)
    else { return nil }
    var score = SequenceScore(policies: policies)
    (score.tokens, score.isGreedy, score.entropy) = (tokens, isGreedy, entropy)
    (score.logLikelihoods, score.temperatures) = (logLikelihoods, temperatures)
    return (sequence, score)
  }
}

extension JSON {
  fileprivate func doubles(_ count: Int) -> [Double]? {
    let values = arrayValue?.compactMap(\.doubleValue)
    return values?.count == count ? values : nil
  }
}
