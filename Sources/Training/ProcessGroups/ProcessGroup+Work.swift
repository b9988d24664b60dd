import Diagnostics
import Torch

/// What is added to the status of a failure where processes agree, so that a failure counts more than a stop.
private let failureMark: Int32 = 1 << 8

extension ProcessGroup {
  /// The lanes whose work this process does: neighbours, as many as others have, or one fewer.
  public func lanes(of count: Int) -> Range<Int> { lanes(of: count, rank: rank) }

  func lanes(of count: Int, rank: Int) -> Range<Int> { rank * count / size..<(rank + 1) * count / size }

  /// Does work that may fail in one process alone. If it fails in one, it fails in all, so that none waits for another.
  ///
  /// `body` must not call the group, unless it is this process alone that will not call it any more.
  ///
  /// - Throws: the body's error; where only others failed, a `Failure` with the greatest of their statuses.
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

  /// Whether all processes have to stop here, because one has a reason to.
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

  /// Gives the tensors of every process the elements that process 0 has.
  public func broadcast(_ tensors: [Tensor]) throws {
    guard size > 1 else { return }
    for tensor in tensors {
      let bytes = try broadcast(rank == 0 ? tensor.bytes : [], from: 0)
      let shared = bytes.withUnsafeBytes { Tensor(bytes: $0, dtype: tensor.dtype, shape: tensor.shape) }
      withoutGradients { tensor.copy(from: shared) }
    }
  }
}
