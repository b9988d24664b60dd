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
  /// The rows [n, ...] of all processes in the order of their ranks, which is that of their lanes, [N, ...]. They are
  /// differentiable in this process's own rows. So a loss of pairs, as of images and texts, is computed whole by every
  /// process, and each adds the gradient of its own rows to its lanes; the gradients of all lanes then sum to the loss's.
  func gathered(_ rows: Tensor) throws -> Tensor
  /// The bytes that process `rank` passes; those of the others do not count.
  func broadcast(_ bytes: [UInt8], from rank: Int) throws -> [UInt8]
  /// The greatest value among the processes: see ``together(_:)`` and ``agreeToStop(_:)``.
  func agreed(_ status: Int32) throws -> Int32
  /// Ends all processes, because this one cannot go on.
  func abort(_ status: Int32) -> Never
}
