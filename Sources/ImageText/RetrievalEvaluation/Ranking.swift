/// The rule by which candidates are ranked: the higher score first and, of equal scores, the lower index.
///
/// Of a query's own candidates the first one counts. This is open_clip's rule (`metrics.py`) with any own candidate allowed.
public enum Ranking {
  public struct Place: Equatable, Sendable {
    /// How many candidates stand before the query's first own one; 0 is the best.
    public let rank: Int
    /// Whether a candidate that is not its own has the same score as the query's best own one.
    public let isTied: Bool
  }

  /// - Parameters:
  ///   - scores: of all candidates, in their order.
  ///   - own: the indices of the query's own candidates, ascending; at least one.
  public static func place<Score: Comparable>(in scores: UnsafeBufferPointer<Score>, own: [Int]) -> Place {
    var (best, first, ownTies) = (scores[own[0]], own[0], 1)
    for index in own.dropFirst() {
      if scores[index] > best {
        (best, first, ownTies) = (scores[index], index, 1)
      } else if scores[index] == best {
        ownTies += 1
      }
    }
    var (before, ties) = (0, 0)
    for index in scores.indices {
      let score = scores[index]
      if score > best {
        before += 1
      } else if score == best {
        ties += 1
        if index < first { before += 1 }
      }
    }
    return Place(rank: before, isTied: ties > ownTies)
  }
}
