import Dispatch

/// A value that another thread computes while this one goes on.
///
/// Its deinitialiser waits for the work, so that the work never outlives the owner.
public final class BackgroundValue<Value: Sendable>: Sendable {
  /// Written by the other thread before it leaves the group, read by others after that.
  private final class Outcome: @unchecked Sendable {
    var result: Result<Value, any Error>?
  }

  private let group = DispatchGroup()
  private let outcome = Outcome()

  /// - Parameter isConcurrent: whether to use another thread; otherwise the initialiser does the work itself.
  public init(isConcurrent: Bool = true, _ make: @escaping @Sendable () throws -> Value) {
    let outcome = outcome
    if isConcurrent {
      DispatchQueue.global().async(group: group) { outcome.result = Result(catching: make) }
    } else {
      outcome.result = Result(catching: make)
    }
  }

  deinit { group.wait() }

  /// Waits for the value.
  ///
  /// - Throws: what the work threw.
  public func value() throws -> Value {
    group.wait()
    return try outcome.result!.get()
  }
}
