/// Sequences in one row, in which common beginnings are stored once.
///
/// Tokens lie in preorder, so that all continuations of a token are the range from it to its `end`. A
/// model whose token i sees token j where `j <= i < ends[j]`, at position `positions[i]`, computes for each sequence what
/// it would compute for it alone.
public struct PrefixTree: Equatable, Sendable {
  public private(set) var tokens: [Int32] = []
  /// How many tokens stand before each in its sequence.
  public private(set) var positions: [Int] = []
  /// For each sequence, in the order in which they were added, where its tokens lie.
  public private(set) var paths: [[Int]] = []

  public init() {}

  /// How many tokens a sequence would share with the one added last.
  public func shared(with sequence: [Int32]) -> Int {
    guard let path = paths.last else { return 0 }
    return zip(path, sequence).prefix { tokens[$0] == $1 }.count
  }

  /// Adds a sequence. Sequences must come in lexicographic order: then the longest common beginning is that with the last
  /// one.
  public mutating func add(_ sequence: [Int32]) {
    let shared = shared(with: sequence)
    let start = tokens.count
    tokens += sequence[shared...]
    positions += shared..<sequence.count
    paths.append((paths.last?.prefix(shared) ?? []) + Array(start..<tokens.count))
  }

  /// Positions and ends for a model whose attention ends at its document.
  ///
  /// - Parameter beginning: the id that closes documents.
  public func documentLayout(beginning: Int32) -> (positions: [Int], ends: [Int]) {
    guard tokens.first == beginning else { return (positions, ends) }
    return (positions.map { max(0, $0 - 1) }, [1] + ends.dropFirst())
  }

  /// For each token the index after the last one that continues it.
  public var ends: [Int] {
    var ends = [Int](repeating: tokens.count, count: tokens.count)
    var open: [Int] = []
    for index in tokens.indices {
      while let last = open.last, positions[last] >= positions[index] {
        ends[last] = index
        open.removeLast()
      }
      open.append(index)
    }
    return ends
  }
}
