/// An order to run a stage's program.
public struct WorkOrder: Equatable, Sendable {
  /// The stage's name in the pipeline.
  public let stage: String
  /// As in `tempnet-fit`.
  public let program: String
  public let arguments: [String]
  /// Environment variables in addition to the runner's own.
  public let environment: [String: String]
  /// The file to which the program's output is appended.
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

/// An executor's name for a program that it runs; the executor chooses its form.
public struct JobName: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ name: String) { description = name }
}

/// How a program ended.
public enum ProgramEnd: Equatable, Sendable {
  case exited(Int32)
  /// A signal ended it: it crashed, or was killed.
  case signalled(Int32)
  /// The job vanished, and its end is unknown. The same work may succeed elsewhere.
  case lost
}

/// Runs stages: on this machine, or through a batch system.
public protocol Executor: Sendable {
  /// The budget that stages running side by side share.
  var capacity: Resources { get }

  /// Checks that a program exists, before anything runs.
  ///
  /// - Throws: `Failure(.unavailable)`.
  func check(_ program: String) throws

  /// Starts a program, or hands it to a batch system, without waiting for it. Where jobs outlive the runner, the job
  /// that an earlier runner submitted for the same output is returned, and nothing is submitted.
  ///
  /// - Returns: the name of the job, which the record of the run notes.
  func submit(_ order: WorkOrder) async throws -> JobName

  /// Waits for the end of a job, also where the waiting task is cancelled; `lost` for a job that is not known.
  func end(of job: JobName) async throws -> ProgramEnd

  /// Asks a job to save its work and end; `end(of:)` returns its end.
  func stop(_ job: JobName) async
}

/// The runner's clock, which tests replace.
public protocol WallClock: Sendable {
  /// Seconds since 1970.
  var now: Double { get }
  /// - Throws: `CancellationError`.
  func sleep(seconds: Double) async throws
}
