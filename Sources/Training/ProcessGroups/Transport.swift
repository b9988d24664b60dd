/// Moves bytes between the processes of a group: MPI, or threads in tests. It does no arithmetic.
///
/// All processes make the same calls in the same order.
public protocol Transport: Sendable {
  /// From 0.
  var rank: Int { get }
  var size: Int { get }

  /// Sends the p-th piece to process p, and returns the piece that each process sent to this one. All know the lengths
  /// beforehand.
  ///
  /// - Parameters:
  ///   - pieces: one for each process, this one included.
  ///   - lengths: the lengths of the pieces that this process will receive, in bytes.
  func exchange(_ pieces: [[UInt8]], receiving lengths: [Int]) throws -> [[UInt8]]
  /// The bytes of each process, in the order of ranks. Lengths may differ.
  func gather(_ bytes: [UInt8]) throws -> [[UInt8]]
  /// The bytes that process `rank` passes; the bytes of other processes are ignored.
  func broadcast(_ bytes: [UInt8], from rank: Int) throws -> [UInt8]
  /// The greatest value that a process passes.
  func maximum(_ value: Int32) throws -> Int32
  /// Ends all processes.
  func abort(_ status: Int32) -> Never
}
