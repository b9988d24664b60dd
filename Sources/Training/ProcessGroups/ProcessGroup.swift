import Torch

/// The processes that train one model together. Each computes some lanes of every step; all of them hold equal parameters
/// and come to equal bytes.
///
/// An implementation only moves bytes. Additions are made here, in an order that follows from the number of lanes alone, so
/// that any number of processes gives equal bytes. Every process makes the same calls in the same order; a failure that the
/// others do not share goes through ``together(_:)``.
public protocol ProcessGroup: Sendable {
  /// From 0. The process of rank 0 writes checkpoints and logs.
  var rank: Int { get }
  var size: Int { get }

  /// Adds lanes over the binary tree of ``LaneSum``.
  ///
  /// - Parameters:
  ///   - nodes: those that cover this process's lanes, each with equally many tensors of equal shapes.
  ///   - lanes: the number of lanes of all processes.
  /// - Returns: the tensors of the root, equal in every process. Those of a single node are returned as they are.
  func sum(_ nodes: [LaneSum], lanes: Int) throws -> [Tensor]
  /// The rows [n, ...] of all processes in the order of their lanes, [N, ...]. Every process computes the whole loss of them
  /// and keeps the gradient of its own rows.
  func gathered(_ rows: Tensor) throws -> Tensor
  /// The bytes that process `rank` passes; those of the others do not count.
  func broadcast(_ bytes: [UInt8], from rank: Int) throws -> [UInt8]
  /// The greatest status among the processes, so that all stop at the same step; 0 is no reason to stop.
  func agreed(_ status: Int32) throws -> Int32
  /// Ends all processes, because this one cannot go on.
  func abort(_ status: Int32) -> Never
}

/// A node of the tree over lanes: tensors summed over the lanes in a range.
public struct LaneSum {
  public let lanes: Range<Int>
  public let tensors: [Tensor]

  public init(lanes: Range<Int>, tensors: [Tensor]) {
    precondition(!lanes.isEmpty, "a node without lanes")
    (self.lanes, self.tensors) = (lanes, tensors)
  }

  /// Joins nodes into the root: a range of lanes is the sum of its two halves, the first one the larger by one lane where
  /// they are odd. The order of additions depends on the number of lanes alone.
  ///
  /// - Parameter nodes: of the tree, that cover `0..<lanes` once.
  public static func root(of nodes: [LaneSum], lanes: Int) -> LaneSum { node(0..<lanes, nodes) }

  private static func node(_ range: Range<Int>, _ nodes: [LaneSum]) -> LaneSum {
    if let node = nodes.first(where: { $0.lanes == range }) { return node }
    precondition(range.count > 1, "no process brought lane \(range.lowerBound)")
    let middle = range.lowerBound + (range.count + 1) / 2
    let (left, right) = (node(range.lowerBound..<middle, nodes), node(middle..<range.upperBound, nodes))
    return LaneSum(lanes: range, tensors: zip(left.tensors, right.tensors).map { $0 + $1 })
  }
}
