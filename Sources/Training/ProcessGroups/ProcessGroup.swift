import Torch

/// The processes that train one model together. Each computes some lanes of every step; all hold equal parameters and
/// arrive at equal bytes.
///
/// The order of additions follows from the number of lanes alone, so that any number of processes gives equal bytes.
/// Every process makes the same calls in the same order; a failure that the others do not share goes through
/// ``together(_:)``.
public protocol ProcessGroup: Sendable {
  /// From 0. The process of rank 0 writes checkpoints and logs.
  var rank: Int { get }
  var size: Int { get }

  /// Adds lanes over the binary tree of ``LaneSum``.
  ///
  /// - Parameters:
  ///   - nodes: those that cover this process's lanes, each with equally many tensors of equal shapes.
  ///   - lanes: the number of lanes of all processes.
  /// - Returns: the tensors of the root, equal in every process. The tensors of a single node are returned unchanged.
  func sum(_ nodes: [LaneSum], lanes: Int) throws -> [Tensor]
  /// The rows [n, ...] of all processes, [N, ...], in the order of ranks, which is also the order of lanes. They are
  /// differentiable in this process's own rows. For a loss over pairs every process computes the whole loss and adds
  /// the gradient of its own rows to its lanes; the gradients of all lanes sum to the gradient of the loss.
  func gathered(_ rows: Tensor) throws -> Tensor
  /// The bytes that process `rank` passes; the bytes of other processes are ignored.
  func broadcast(_ bytes: [UInt8], from rank: Int) throws -> [UInt8]
  /// The greatest value among the processes: see ``together(_:)`` and ``agreeToStop(_:)``.
  func agreed(_ status: Int32) throws -> Int32
  /// Ends all processes, because this one cannot go on.
  func abort(_ status: Int32) -> Never
}
