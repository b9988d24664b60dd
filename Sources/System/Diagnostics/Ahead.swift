import Dispatch

/// A value that is made on another thread while this one goes on.
///
/// Whoever lets go of it without asking for the value waits for the work all the same, so that none outlives its owner.
public final class Ahead<Value: Sendable>: Sendable {
  /// Written by the other thread before it leaves the group, read by others after that.
  private final class Outcome: @unchecked Sendable {
    var result: Result<Value, any Error>?
  }

  private let group = DispatchGroup()
  private let outcome = Outcome()

  /// - Parameter isConcurrent: whether another thread may be used; otherwise the work is done here and now.
  public init(isConcurrent: Bool = true, _ make: @escaping @Sendable () throws -> Value) {
    let outcome = outcome
    if isConcurrent {
      DispatchQueue.global().async(group: group) { outcome.result = Result(catching: make) }
    } else {
      outcome.result = Result(catching: make)
    }
  }

  deinit { group.wait() }

  /// The value, as soon as it is there.
  public func value() throws -> Value {
    group.wait()
    return try outcome.result!.get()
  }
}
