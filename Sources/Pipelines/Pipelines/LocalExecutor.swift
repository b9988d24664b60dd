import Diagnostics
import Files
import Glibc
import StageDescriptions
import Subprocess
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

  public init(programs: String) { self.programs = programs }

  /// With the programs that lie beside this one's own file.
  public static func besideThisProgram() throws -> LocalExecutor {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 else {
      throw Failure.system("cannot find this program's own file", "/proc/self/exe")
    }
    return LocalExecutor(
      programs: Files.folder(of: String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self)))
  }

  public func check(_ program: String) throws {
    guard access("\(programs)/\(program)", X_OK) == 0 else {
      throw Failure(.unavailable, "there is no such program; build the package again", at: "\(programs)/\(program)")
    }
  }

  public func run(_ order: WorkOrder) async throws -> ProgramEnd {
    let log: FileDescriptor
    do {
      log = try FileDescriptor.open(
        FilePath(order.log), .writeOnly, options: [.append, .create, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o666))
    } catch let error as Errno {
      throw Failure.system("cannot write", order.log, code: error.rawValue)
    }
    defer { try? log.close() }
    var variables: [Environment.Key: String?] = [:]
    for (name, value) in order.environment { variables[Environment.Key(stringLiteral: name)] = value }
    variables[Environment.Key(stringLiteral: Interruption.parentVariable)] = "\(getpid())"
    var options = PlatformOptions()
    options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: Self.patience)]
    let result = try await Subprocess.run(
      .path(FilePath("\(programs)/\(order.program)")), arguments: Arguments(order.arguments),
      environment: .inherit.updating(variables), platformOptions: options,
      output: .fileDescriptor(log, closeAfterSpawningProcess: false), error: .combinedWithOutput)
    return switch result.terminationStatus {
    case .exited(let code): .exited(code)
    case .signaled(let signal): .signalled(signal)
    }
  }
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
