import Synchronization

/// Failures that no caller can catch: an operation without `throws` has neither a result nor a way to say so.
///
/// A library reports such a failure to `end`; how the process ends is the program's decision. Without an ending the process
/// traps, like any other use that breaks a precondition.
public enum UnrecoverableFailure {
  public typealias Ending = @Sendable (Failure) -> Never

  private static let ending = Mutex<Ending?>(nil)

  /// Installs the ending; called once by every program before it works. A program of several processes stops the others here.
  public static func setEnding(_ body: @escaping Ending) { ending.withLock { $0 = body } }

  /// Ends the process.
  public static func end(_ failure: Failure) -> Never {
    let installed = ending.withLock { $0 }
    if let installed { installed(failure) }
    fatalError("\(failure)")
  }
}
