import Diagnostics

/// What stages that run side by side share.
public struct Budget: Equatable, Sendable {
  public var cores: Int
  /// In bytes.
  public var memory: Int
  /// The most stages that run at one time.
  public var jobs: Int

  public init(cores: Int, memory: Int, jobs: Int = .max) {
    (self.cores, self.memory, self.jobs) = (cores, memory, jobs)
  }

  /// The cores and the memory that this process may use of the machine.
  public static func ofThisMachine(jobs: Int = .max) -> Budget {
    Budget(cores: Machine.cores, memory: Machine.memory, jobs: jobs)
  }

  /// What a stage takes of this budget. One that asks for more than there is gets all of it, and so runs alone.
  func share(of stage: PlannedStage) -> Budget {
    Budget(cores: min(stage.cores ?? cores, cores), memory: min(stage.memory ?? 0, memory), jobs: 1)
  }

  func holds(_ share: Budget) -> Bool { share.cores <= cores && share.memory <= memory && share.jobs <= jobs }

  static func -= (a: inout Budget, b: Budget) {
    a.cores -= b.cores
    a.memory -= b.memory
    a.jobs -= b.jobs
  }

  static func += (a: inout Budget, b: Budget) {
    a.cores += b.cores
    a.memory += b.memory
    a.jobs += b.jobs
  }
}
