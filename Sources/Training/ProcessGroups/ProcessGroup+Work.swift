import Diagnostics
import Torch

/// Added to the status of a failure when processes agree, so that a failure outweighs a request to stop.
private let failureMark: Int32 = 1 << 8

extension ProcessGroup {
  /// The lanes of this process: neighbouring ones, of equal number in all processes or one fewer.
  public func lanes(of count: Int) -> Range<Int> { lanes(of: count, rank: rank) }

  func lanes(of count: Int, rank: Int) -> Range<Int> { rank * count / size..<(rank + 1) * count / size }

  /// Does work that may fail in one process alone. A failure in one process becomes a failure in all, so that none
  /// waits for another.
  ///
  /// `body` must not call the group, unless it is this process alone that will not call it any more.
  ///
  /// - Throws: the body's error; if only other processes failed, a `Failure` with the greatest of their statuses.
  @discardableResult
  public func together<Success>(_ body: () throws -> Success) throws -> Success {
    let outcome = Result { try body() }
    var own: Int32 = 0
    if case .failure(let error) = outcome {
      own = failureMark + ((error as? Failure)?.status ?? .internal).rawValue
    }
    let agreed = try agreed(own)
    if own == 0 { try throwFailure(of: agreed) }
    return try outcome.get()
  }

  /// Whether all processes stop here, because one has a reason to stop.
  ///
  /// - Throws: a `Failure` where another process has failed meanwhile, and waits in ``together(_:)``.
  public func agreeToStop(_ hasReason: Bool) throws -> Bool {
    let agreed = try agreed(hasReason ? ExitStatus.tryAgain.rawValue : 0)
    try throwFailure(of: agreed)
    return agreed != 0
  }

  private func throwFailure(of agreed: Int32) throws {
    guard agreed >= failureMark else { return }
    throw Failure(
      ExitStatus(rawValue: agreed - failureMark) ?? .internal, "another process of this run failed; its log says why")
  }

  /// Copies the elements of process 0's tensors into the tensors of every process.
  public func broadcast(_ tensors: [Tensor]) throws {
    guard size > 1 else { return }
    for tensor in tensors {
      let bytes = try broadcast(rank == 0 ? tensor.bytes : [], from: 0)
      let shared = bytes.withUnsafeBytes { Tensor(bytes: $0, dtype: tensor.dtype, shape: tensor.shape) }
      withoutGradients { tensor.copy(from: shared) }
    }
  }
}
