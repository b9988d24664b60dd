import CProcess
import Glibc
import Synchronization

/// Requests to stop, which a loop asks for: SIGINT, SIGTERM, the end of the runner, time limits.
///
/// A stage asks `isRequested` between steps; when it is true it saves a checkpoint and throws
/// `Interruption.failure`. A second SIGINT ends the process at once.
public enum Interruption {
  private static let signal = Atomic<Int32>(0)
  private static let parent = Atomic<Int32>(0)
  private static let isOnTerminal = Atomic<Bool>(false)

  /// The environment variable by which the runner tells a stage program which process it is: a `ProcessIdentity`.
  public static let parentVariable = "TEMPNET_PARENT"

  /// Installs the handlers; every program calls it once, before long work.
  ///
  /// SIGINT and SIGHUP stay ignored if whoever started the program has it ignore them, as `&` and `nohup` do; under a
  /// runner they are always ignored, because the terminal sends them to the runner too, which passes on what it heeds.
  /// SIGTERM is always heeded: service managers ignore it for themselves, and block it, and children inherit both.
  public static func install() {
    isOnTerminal.store(isatty(STDERR_FILENO) == 1, ordering: .relaxed)
    // Static variables are initialised before the handlers read them: a first use may take a lock.
    (_, _) = (isRequested, Log.isQuiet)
    let runner = takeRunner()
    for number in [SIGINT, SIGHUP] where !isIgnored(number) {
      if runner == nil { listen(to: number) } else { Glibc.signal(number, SIG_IGN) }
    }
    listen(to: SIGTERM)
    // A reader that has gone away, and a file larger than `ulimit -f` allows, are errors of the write.
    for number in [SIGPIPE, SIGXFSZ] { Glibc.signal(number, SIG_IGN) }
    // Swift's run-time library takes it for a crash, reports that, and goes on.
    Glibc.signal(SIGQUIT, SIG_DFL)
    if let runner { follow(runner) }
  }

  /// The process id of the runner that started this program; nil where none did.
  ///
  /// The variable is removed, because programs that this one starts are not the runner's. Where it came by another way,
  /// as with the environment that a batch system passes on, it names a process of another machine, or one that lives
  /// and is not the parent.
  private static func takeRunner() -> Int32? {
    guard let text = getenv(parentVariable).map({ String(cString: $0) }) else { return nil }
    unsetenv(parentVariable)
    guard let runner = ProcessIdentity(text), runner.isOfThisMachine else { return nil }
    return getppid() != runner.id && runner.isAlive ? nil : runner.id
  }

  private static func listen(to number: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in Interruption.receive(number) }
    sigaction(number, &action, nil)
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, number)
    sigprocmask(SIG_UNBLOCK, &signals, nil)
  }

  /// A signal handler, in which nothing may allocate or lock. Saving takes a while, so on a terminal the first SIGINT is
  /// answered; nobody else would say that the second one ended the process.
  private static func receive(_ number: Int32) {
    let isFirst = signal.exchange(number, ordering: .relaxed) == 0
    guard number == SIGINT else { return }
    guard isFirst else {
      say("interrupted again: ended at once; what was saved before is kept\n")
      _exit(ExitStatus.tryAgain.rawValue)
    }
    if isOnTerminal.load(ordering: .relaxed) && !Log.isQuiet {
      let code = errno
      say("interrupted: will end once work worth keeping is saved; interrupt again to end at once\n")
      errno = code
    }
  }

  private static func say(_ words: StaticString) {
    func put(_ text: StaticString) { _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount) }
    // The line may hold a progress bar and the terminal's echo of the key.
    if isOnTerminal.load(ordering: .relaxed) { put("\r\u{1B}[K") }
    put(words)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var current = sigaction()
    sigaction(number, nil, &current)
    return unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// A stage must not outlive its runner: the kernel sends a signal when the parent dies, and a look at the parent
  /// afterwards covers one that died before the request was made.
  ///
  /// The kernel means the thread that started this process, so the signal alone proves nothing: only a parent that
  /// has changed does.
  private static func follow(_ runner: Int32) {
    parent.store(runner, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in Interruption.lookAtParent() }
    sigaction(SIGUSR1, &action, nil)
    _ = cprocess_signal_on_parent_death(SIGUSR1)
    lookAtParent()
  }

  private static func lookAtParent() {
    if getppid() != parent.load(ordering: .relaxed) { signal.store(SIGTERM, ordering: .relaxed) }
  }

  public static var isRequested: Bool { signal.load(ordering: .relaxed) != 0 }

  /// Throws if an interruption was requested; for work without checkpoints.
  public static func check() throws {
    if isRequested { throw failure }
  }

  public static var failure: Failure {
    let name = [SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP"][signal.load(ordering: .relaxed)]
    return Failure(.tryAgain, "interrupted\(name.map { " by \($0)" } ?? ""); the same command continues the work")
  }
}
