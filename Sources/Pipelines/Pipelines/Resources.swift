import Diagnostics

/// The cores, memory and number of jobs that stages running side by side share.
public struct Resources: Equatable, Sendable {
  public var cores: Int
  /// In bytes.
  public var memory: Int
  /// The most stages that run at one time.
  public var jobs: Int

  public init(cores: Int, memory: Int, jobs: Int = .max) {
    (self.cores, self.memory, self.jobs) = (cores, memory, jobs)
  }

  /// The cores and the memory that this process may use of the machine.
  public static func ofThisMachine(jobs: Int = .max) -> Resources {
    Resources(cores: Machine.cores, memory: Machine.memory, jobs: jobs)
  }

  /// The share of a stage. A stage that asks for more than there is gets everything, and therefore runs alone.
  func share(of stage: PlannedStage) -> Resources {
    Resources(cores: min(stage.cores ?? cores, cores), memory: min(stage.memory ?? 0, memory), jobs: 1)
  }

  func holds(_ share: Resources) -> Bool { share.cores <= cores && share.memory <= memory && share.jobs <= jobs }

  static func -= (a: inout Resources, b: Resources) {
    a.cores -= b.cores
    a.memory -= b.memory
    a.jobs -= b.jobs
  }

  static func += (a: inout Resources, b: Resources) {
    a.cores += b.cores
    a.memory += b.memory
    a.jobs += b.jobs
  }
}
