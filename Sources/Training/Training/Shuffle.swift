import RandomNumbers

/// A random order of `0..<count`. Any position can be computed without the whole order: the item at a position depends
/// on `(seed, position)` alone.
///
/// A Feistel network over the smallest square power of two that holds `count` is a bijection whatever its round
/// function; walking along its cycles until a value falls below `count` makes it one of `0..<count` (Black & Rogaway
/// 2002, "Ciphers with arbitrary finite domains"). Fewer than four steps are taken on average.
public struct Shuffle: Sendable {
  public let count: Int
  private let seed: UInt64
  /// Half the bits of a position.
  private let half: UInt64
  private static let rounds: UInt64 = 6

  public init(count: Int, seed: UInt64) {
    precondition(count > 0, "there is nothing to shuffle")
    self.count = count
    self.seed = seed
    let bits = UInt64(Int.bitWidth - (count - 1).leadingZeroBitCount)
    half = max(1, (bits + 1) / 2)
  }

  public subscript(position: Int) -> Int {
    precondition(position >= 0 && position < count, "position \(position) of \(count)")
    var value = UInt64(position)
    repeat { value = permuted(value) } while value >= count
    return Int(value)
  }

  private func permuted(_ value: UInt64) -> UInt64 {
    let mask = (1 << half) - 1 as UInt64
    var (left, right) = (value >> half, value & mask)
    for round in 0..<Self.rounds {
      let scrambled = SplitMix64.mixed(SplitMix64.mixed(seed ^ round) ^ right) & mask
      (left, right) = (right, left ^ scrambled)
    }
    return left << half | right
  }
}

/// An endless sequence of the items `0..<count`: one random order per epoch, each with every item once.
public struct EpochOrder: Sendable {
  public let count: Int
  private let seed: UInt64

  public init(count: Int, seed: UInt64) {
    precondition(count > 0, "there is nothing to put in order")
    self.count = count
    self.seed = seed
  }

  /// A place in the sequence: which epoch, and which item of it.
  public struct Place: Equatable, Sendable {
    public let epoch: Int
    public let item: Int
  }

  /// The sequence at `positions`, which may reach over the ends of epochs.
  public func places(_ positions: Range<Int>) -> [Place] {
    positions.map { position in
      let (epoch, index) = position.quotientAndRemainder(dividingBy: count)
      return Place(epoch: epoch, item: shuffle(epoch: epoch)[index])
    }
  }

  /// The items without their epochs.
  public func items(_ positions: Range<Int>) -> [Int] { places(positions).map(\.item) }

  private func shuffle(epoch: Int) -> Shuffle {
    Shuffle(count: count, seed: Seeds.derived(seed, .order, index: epoch))
  }
}
