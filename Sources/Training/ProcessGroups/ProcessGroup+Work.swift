import Diagnostics
import Torch

extension ProcessGroup {
  /// The lanes whose work this process does: neighbours, as many as others have, or one fewer.
  public func lanes(of count: Int) -> Range<Int> { rank * count / size..<(rank + 1) * count / size }

  /// Does work that may fail in one process alone. If it fails in one, it fails in all, so that none waits for another.
  ///
  /// `body` must not call the group.
  ///
  /// - Throws: the body's error; where only others failed, a `Failure` with the greatest of their statuses.
  public func together<Success>(_ body: () throws -> Success) throws -> Success {
    let outcome = Result { try body() }
    var own: Int32 = 0
    if case .failure(let error) = outcome { own = ((error as? Failure)?.status ?? .internal).rawValue }
    let agreed = try agreed(own)
    if own == 0, agreed != 0 {
      throw Failure(ExitStatus(rawValue: agreed) ?? .internal, "another process of this run failed; its log says why")
    }
    return try outcome.get()
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
