import Dispatch
import Synchronization

/// Runs a function over chunks on several threads while the caller makes further chunks, and hands the results over in
/// the order of the chunks, so that nothing shows how many threads there were.
///
/// Two batches exist at a time: one is worked on, one is filled. Memory is bounded by them.
final class ChunkWorkers<Worker: AnyObject, Result> {
  /// A chunk with its result. Only one thread at a time touches it.
  private final class Job: @unchecked Sendable {
    let chunk: TextChunk
    var result: Result?
    init(_ chunk: TextChunk) { self.chunk = chunk }
  }

  /// What the threads of one batch share; each worker belongs to one thread at a time.
  private struct Batch: @unchecked Sendable {
    let jobs: [Job]
    let workers: [Worker]
    let work: (Worker, TextChunk) -> Result
  }

  let workers: [Worker]
  private let work: (Worker, TextChunk) -> Result
  private let receive: (TextChunk, Result) throws -> Void
  private let chunkSize: Int
  private var filling: [Job] = []
  private var running: [Job] = []
  private let group = DispatchGroup()
  private var idle: [TextChunk] = []

  /// Chunks per thread in a batch: enough that threads end together although chunks take unequal time.
  private static var chunksPerWorker: Int { 4 }

  /// - Parameters:
  ///   - workers: one per thread.
  ///   - work: must not depend on what the worker did before.
  ///   - receive: called on the caller's thread.
  init(
    _ workers: [Worker], chunkSize: Int, work: @escaping (Worker, TextChunk) -> Result,
    receive: @escaping (TextChunk, Result) throws -> Void
  ) {
    self.workers = workers
    self.chunkSize = chunkSize
    self.work = work
    self.receive = receive
  }

  /// An empty chunk, perhaps one used before.
  func newChunk() -> TextChunk { idle.popLast() ?? TextChunk(capacity: chunkSize + chunkSize / 4) }

  func submit(_ chunk: TextChunk) throws {
    filling.append(Job(chunk))
    if filling.count == workers.count * Self.chunksPerWorker { try exchange() }
  }

  /// Works off everything submitted.
  func finish() throws {
    try exchange()
    try exchange()
  }

  /// Receives the batch that was worked on and starts on the one that was filled.
  private func exchange() throws {
    group.wait()
    let done = running
    running = filling
    filling = []
    start(Batch(jobs: running, workers: workers, work: work))
    for job in done {
      try receive(job.chunk, job.result!)
      job.chunk.removeAll()
      idle.append(job.chunk)
    }
  }

  private func start(_ batch: Batch) {
    guard !batch.jobs.isEmpty else { return }
    let next = Counter()
    for index in batch.workers.indices {
      DispatchQueue.global().async(group: group) {
        while let job = next.take(below: batch.jobs.count).map({ batch.jobs[$0] }) {
          job.result = batch.work(batch.workers[index], job.chunk)
        }
      }
    }
  }

  deinit { group.wait() }
}

/// Deals out numbers to threads.
private final class Counter: Sendable {
  private let value = Atomic(0)

  func take(below limit: Int) -> Int? {
    let taken = value.wrappingAdd(1, ordering: .relaxed).oldValue
    return taken < limit ? taken : nil
  }
}
