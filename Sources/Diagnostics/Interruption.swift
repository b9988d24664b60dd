import CProcess
import Glibc
import Synchronization

/// SIGINT, SIGTERM, the death of the runner and time limits, as something a loop can ask about.
///
/// A stage asks `isRequested` between steps; when it is true it saves a checkpoint and throws
/// `Interruption.failure`. A second SIGINT ends the process at once.
public enum Interruption {
  private static let signal = Atomic<Int32>(0)

  /// The environment variable by which the runner tells a stage program its own process id.
  public static let parentVariable = "TEMPNET_PARENT"

  /// Starts to listen; called once by every program before it does anything that takes time.
  public static func install() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        if Interruption.signal.exchange(number, ordering: .relaxed) != 0 && number == SIGINT { _exit(75) }
      }
      sigaction(number, &action, nil)
    }
    Glibc.signal(SIGPIPE, SIG_IGN)
    followParent()
  }

  /// A stage must not outlive its runner: the kernel sends SIGTERM when the parent dies, and a look at the
  /// parent afterwards covers one that died before the request was made.
  private static func followParent() {
    guard let text = getenv(parentVariable), let parent = Int32(String(cString: text)) else { return }
    _ = cprocess_signal_on_parent_death(SIGTERM)
    if getppid() != parent { signal.store(SIGTERM, ordering: .relaxed) }
  }

  public static var isRequested: Bool { signal.load(ordering: .relaxed) != 0 }

  /// Throws when an interruption was asked for; for work that has nothing worth saving.
  public static func check() throws {
    if isRequested { throw failure }
  }

  public static var failure: Failure {
    let name = [SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP"][signal.load(ordering: .relaxed)]
    return Failure(.tryAgain, "interrupted\(name.map { " by \($0)" } ?? ""); the same command continues the work")
  }
}
