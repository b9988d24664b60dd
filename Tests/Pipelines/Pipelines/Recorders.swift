import Artifacts
import Diagnostics
import Files
import JSON
import Pipelines
import Synchronization

/// A clock that moves by a second whenever it is looked at, and never lets anybody wait.
final class RecordingClock: WallClock {
  private let state = Mutex((now: 1_800_000_000.0, sleeps: [Double]()))

  var now: Double {
    state.withLock { state in
      state.now += 1
      return state.now
    }
  }

  var sleeps: [Double] { state.withLock { $0.sleeps } }

  func sleep(seconds: Double) async throws {
    try Task.checkCancellation()
    state.withLock { $0.sleeps.append(seconds) }
  }
}

/// Stands in for stage programs: notes what it is asked to run, and leaves an artifact where one is planned.
final class RecordingExecutor: Executor {
  private struct State {
    var orders: [WorkOrder] = []
    var running: Set<String> = []
    var mostAtOnce = 0
    var jobs: [JobName: Task<ProgramEnd, any Error>] = [:]
  }

  private let plan: Plan
  let capacity: Resources
  private let state = Mutex(State())
  private let behaviour: @Sendable (WorkOrder, RecordingExecutor) async throws -> ProgramEnd

  /// - Parameter behaviour: what a program does; leaving its artifact by default.
  init(
    _ plan: Plan, capacity: Resources = .ample,
    behaviour: @escaping @Sendable (WorkOrder, RecordingExecutor) async throws -> ProgramEnd = { try $1.publish($0) }
  ) {
    (self.plan, self.capacity, self.behaviour) = (plan, capacity, behaviour)
  }

  var orders: [WorkOrder] { state.withLock { $0.orders } }
  var stages: [String] { orders.map(\.stage) }
  var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
  var running: Set<String> { state.withLock { $0.running } }

  func check(_ program: String) throws {}

  func submit(_ order: WorkOrder) async throws -> JobName {
    state.withLock { state in
      state.orders.append(order)
      state.running.insert(order.stage)
      state.mostAtOnce = max(state.mostAtOnce, state.running.count)
      let name = JobName("\(order.stage), job \(state.orders.count)")
      state.jobs[name] = Task {
        defer { self.state.withLock { _ = $0.running.remove(order.stage) } }
        return try await behaviour(order, self)
      }
      return name
    }
  }

  func end(of job: JobName) async throws -> ProgramEnd { try await task(of: job)?.value ?? .lost }

  func stop(_ job: JobName) async { task(of: job)?.cancel() }

  private func task(of job: JobName) -> Task<ProgramEnd, any Error>? { state.withLock { $0.jobs[job] } }

  /// How often a stage was begun.
  func attempts(_ stage: String) -> Int { stages.count { $0 == stage } }

  func publish(_ order: WorkOrder, summary: JSON = [:]) throws -> ProgramEnd {
    guard let stage = plan[order.stage] else { return .exited(70) }
    let builder = try ArtifactBuilder(output: stage.output, identity: stage.identity)
    try AtomicFile.write("made by \(order.stage)", to: try builder.path(for: "result.html"))
    _ = try builder.publish(summary: summary)
    return .exited(0)
  }
}
