/// McNemar's test of two policies' right and wrong answers to the same independent items (McNemar 1947).
///
/// Only items that one policy gets right and the other wrong tell the two apart.
public struct McNemar: Equatable, Sendable {
  public let items: Int
  /// Right with the policy, wrong with the reference.
  public let gained: Int
  /// Wrong with the policy, right with the reference.
  public let lost: Int

  public init(items: Int, gained: Int, lost: Int) {
    precondition(gained >= 0 && lost >= 0 && gained + lost <= items && items > 0, "more changes than items")
    (self.items, self.gained, self.lost) = (items, gained, lost)
  }

  /// - Parameters: whether each item was answered rightly, at least one item.
  public init(policy: [Bool], reference: [Bool]) {
    precondition(policy.count == reference.count, "\(policy.count) and \(reference.count) answers cannot be paired")
    let pairs = zip(policy, reference)
    self.init(items: policy.count, gained: pairs.count { $0 && !$1 }, lost: pairs.count { !$0 && $1 })
  }

  /// The difference in accuracy, policy minus reference.
  public var difference: Double { Double(gained - lost) / Double(items) }

  /// Of the difference: √((b + c) - (c - b)²/n) / n.
  public var standardError: Double {
    let (changed, net) = (Double(gained + lost), Double(gained - lost))
    return (changed - net * net / Double(items)).squareRoot() / Double(items)
  }

  /// The exact two-sided probability, 2 P(X ≤ min(b, c)) for b + c tosses of a fair coin, at most 1.
  public var pValue: Double {
    let changed = gained + lost
    guard changed > 0 else { return 1 }
    return min(1, 2 * Binomial.lowerTail(min(gained, lost), trials: changed, probability: 0.5))
  }
}
