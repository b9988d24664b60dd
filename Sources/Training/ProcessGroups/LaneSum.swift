import Torch

/// A node of the tree over lanes: tensors summed over the lanes in a range.
public struct LaneSum {
  public let lanes: Range<Int>
  public let tensors: [Tensor]

  public init(lanes: Range<Int>, tensors: [Tensor]) {
    precondition(!lanes.isEmpty, "a node without lanes")
    (self.lanes, self.tensors) = (lanes, tensors)
  }

  /// Joins nodes into the root. A range of lanes is the sum of its two halves; of an odd number of lanes the first half
  /// has one more. The order of additions depends on the number of lanes alone.
  ///
  /// - Parameter nodes: nodes of the tree that together cover `0..<lanes` once.
  public static func root(of nodes: [LaneSum], lanes: Int) -> LaneSum { node(0..<lanes, nodes) }

  /// Joins neighbouring nodes as far as the tree does: the fewest nodes that cover the same lanes.
  ///
  /// - Parameter range: the lanes that the nodes cover.
  public static func joined(_ nodes: [LaneSum], covering range: Range<Int>, lanes: Int) -> [LaneSum] {
    cover(range, lanes: lanes).map { node($0, nodes) }
  }

  /// The largest nodes of the tree that lie in a range of lanes, in order.
  static func cover(_ range: Range<Int>, lanes: Int) -> [Range<Int>] { cover(range, below: 0..<lanes) }

  private static func cover(_ range: Range<Int>, below node: Range<Int>) -> [Range<Int>] {
    guard range.overlaps(node) else { return [] }
    guard node.clamped(to: range) != node else { return [node] }
    return halves(of: node).flatMap { cover(range, below: $0) }
  }

  private static func halves(of range: Range<Int>) -> [Range<Int>] {
    let middle = range.lowerBound + (range.count + 1) / 2
    return [range.lowerBound..<middle, middle..<range.upperBound]
  }

  private static func node(_ range: Range<Int>, _ nodes: [LaneSum]) -> LaneSum {
    if let node = nodes.first(where: { $0.lanes == range }) { return node }
    precondition(range.count > 1, "no process brought lane \(range.lowerBound)")
    let halves = halves(of: range).map { node($0, nodes) }
    return LaneSum(lanes: range, tensors: zip(halves[0].tensors, halves[1].tensors).map { $0 + $1 })
  }
}
