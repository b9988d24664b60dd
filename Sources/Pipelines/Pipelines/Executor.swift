/// A stage's program as it is to be run.
public struct WorkOrder: Equatable, Sendable {
  /// The stage's name in the pipeline.
  public let stage: String
  /// As in `tempnet-fit`.
  public let program: String
  public let arguments: [String]
  /// Variables beside those that the runner itself has.
  public let environment: [String: String]
  /// The file to which everything that the program prints is appended.
  public let log: String
  public let cores: Int?
  /// In bytes.
  public let memory: Int?

  public init(
    stage: String, program: String, arguments: [String], environment: [String: String], log: String, cores: Int? = nil,
    memory: Int? = nil
  ) {
    (self.stage, self.program, self.arguments, self.environment) = (stage, program, arguments, environment)
    (self.log, self.cores, self.memory) = (log, cores, memory)
  }
}

/// How a program ended.
public enum ProgramEnd: Equatable, Sendable {
  case exited(Int32)
  /// A signal ended it: it crashed, or was killed.
  case signalled(Int32)
}

/// Where stages run: on this machine, or handed to something that runs them elsewhere.
public protocol Executor: Sendable {
  /// Makes sure, before anything runs, that a program is there.
  ///
  /// - Throws: `Failure(.unavailable)`.
  func check(_ program: String) throws

  /// Runs a program to its end. When the task is cancelled the program is asked, with SIGTERM, to save its work and
  /// end; how it then ends is returned as ever.
  func run(_ order: WorkOrder) async throws -> ProgramEnd
}

/// The time, as far as the runner needs it.
public protocol WallClock: Sendable {
  /// Seconds since 1970.
  var now: Double { get }
  /// - Throws: `CancellationError`.
  func sleep(seconds: Double) async throws
}
