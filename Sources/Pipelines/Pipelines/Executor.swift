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

/// The name by which an executor knows a program that it was given to run. Its form is the executor's own.
public struct JobName: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ name: String) { description = name }
}

/// How a program ended.
public enum ProgramEnd: Equatable, Sendable {
  case exited(Int32)
  /// A signal ended it: it crashed, or was killed.
  case signalled(Int32)
  /// Nobody knows how: the job vanished. The same work may succeed elsewhere.
  case lost
}

/// Where stages run: on this machine, or handed to something that runs them elsewhere.
public protocol Executor: Sendable {
  /// What stages that run side by side share.
  var capacity: Budget { get }

  /// Makes sure, before anything runs, that a program is there.
  ///
  /// - Throws: `Failure(.unavailable)`.
  func check(_ program: String) throws

  /// Starts a program, or hands it to whatever will start it, and does not wait for it. Where jobs outlive the runner, a
  /// job that an earlier runner submitted for the same output is found again, and nothing is submitted.
  ///
  /// - Returns: the name of the job, which the record of the run notes.
  func submit(_ order: WorkOrder) async throws -> JobName

  /// Waits for the end of a job, also where the waiting task is cancelled; `lost` for a job that is not known.
  func end(of job: JobName) async throws -> ProgramEnd

  /// Asks a job to save its work and end. How it then ends is what `end(of:)` returns.
  func stop(_ job: JobName) async
}

/// The time, as far as the runner needs it.
public protocol WallClock: Sendable {
  /// Seconds since 1970.
  var now: Double { get }
  /// - Throws: `CancellationError`.
  func sleep(seconds: Double) async throws
}
