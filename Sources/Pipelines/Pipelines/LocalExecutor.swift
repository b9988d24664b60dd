import Diagnostics
import Files
import Glibc
import StageDescriptions
import Subprocess
import Synchronization
import SystemPackage

/// Runs stage programs as processes on this machine.
///
/// They stay in the runner's process group, so that Ctrl-Z stops them with it, and they end when the runner does,
/// however that ends: see `Interruption`.
public struct LocalExecutor: Executor {
  /// How long a program that was asked to end may take to save its work.
  private static let patience = Duration.seconds(3600)

  /// The folder that holds the programs.
  private let programs: String
  public let capacity: Resources
  private let jobs = RunningJobs()

  public init(programs: String, capacity: Resources = .ofThisMachine()) {
    (self.programs, self.capacity) = (programs, capacity)
  }

  /// With the programs that lie beside this one's own file.
  public static func besideThisProgram(capacity: Resources = .ofThisMachine()) throws -> LocalExecutor {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 else {
      throw Failure.system("cannot find this program's own file", "/proc/self/exe")
    }
    return LocalExecutor(
      programs: Files.folder(of: String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)),
      capacity: capacity)
  }

  public func check(_ program: String) throws {
    guard access("\(programs)/\(program)", X_OK) == 0 else {
      throw Failure(.unavailable, "there is no such program; build the package again", at: "\(programs)/\(program)")
    }
  }

  public func submit(_ order: WorkOrder) async throws -> JobName {
    let log = try openedLog(order.log)
    let start = Start()
    // The program lives as long as this task, even where the task that waits for it is cancelled.
    let running = Task {
      defer {
        try? log.close()
        start.fail(Failure(.internal, "the program was not started", at: order.program))
      }
      do {
        return try await run(order, log) { start.succeed($0) }
      } catch {
        start.fail(error)
        throw error
      }
    }
    return jobs.add(running, process: try await start.process)
  }

  public func end(of job: JobName) async throws -> ProgramEnd { try await jobs[job]?.value ?? .lost }

  public func stop(_ job: JobName) async { jobs[job]?.cancel() }

  private func openedLog(_ path: String) throws -> FileDescriptor {
    do {
      return try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.append, .create, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o666))
    } catch let error as Errno {
      throw Failure.system("cannot write", path, code: error.rawValue)
    }
  }

  /// Runs a program to its end. When the task is cancelled the program gets SIGTERM.
  private func run(
    _ order: WorkOrder, _ log: FileDescriptor, onStart: (pid_t) -> Void
  ) async throws -> ProgramEnd {
    var variables: [Environment.Key: String?] = [:]
    for (name, value) in order.environment { variables[Environment.Key(stringLiteral: name)] = value }
    variables[Environment.Key(stringLiteral: Interruption.parentVariable)] =
      ProcessIdentity(of: getpid())?.description
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.patience)]
    let result = try await Subprocess.run(
      .path(FilePath("\(programs)/\(order.program)")), arguments: Arguments(order.arguments),
      environment: .inherit.updating(variables), platformOptions: options, input: .none,
      output: .fileDescriptor(log, closeAfterSpawningProcess: false), error: .combinedWithOutput
    ) { onStart($0.processIdentifier.value) }
    return switch result.terminationStatus {
    case .exited(let code): .exited(code)
    case .signaled(let signal): .signalled(signal)
    }
  }
}

/// The process id of a program that is being started, or the reason why it was not started. The first answer counts.
private final class Start: Sendable {
  private let (answers, answer) = AsyncStream<Result<pid_t, any Error>>.makeStream(bufferingPolicy: .bufferingOldest(1))

  func succeed(_ process: pid_t) { answer.yield(.success(process)) }
  func fail(_ error: any Error) { answer.yield(.failure(error)) }

  /// Waits also where the waiting task is cancelled, because a process that was started must not be forgotten.
  var process: pid_t {
    get async throws {
      let waiting = Task { [answers] in await answers.first { _ in true } }
      guard let outcome = await waiting.value else { preconditionFailure("the stream is never finished") }
      return try outcome.get()
    }
  }
}

/// The programs that this process has started, by the names of their jobs.
private final class RunningJobs: Sendable {
  private let tasks = Mutex<[JobName: Task<ProgramEnd, any Error>]>([:])

  /// Numbered, because the system uses process ids again.
  func add(_ task: Task<ProgramEnd, any Error>, process: pid_t) -> JobName {
    tasks.withLock { tasks in
      let name = JobName("process \(process), job \(tasks.count + 1) of \(getpid())")
      tasks[name] = task
      return name
    }
  }

  subscript(job: JobName) -> Task<ProgramEnd, any Error>? { tasks.withLock { $0[job] } }
}

/// The machine's own clock.
public struct SystemClock: WallClock {
  public init() {}

  public var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  public func sleep(seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }
}
