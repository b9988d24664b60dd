import Dispatch
import Synchronization

/// Runs a function over chunks on several threads while the caller makes further chunks, and returns the results in the
/// order of the chunks. The results do not depend on the number of threads.
///
/// The number of chunks in work is limited, and so is the memory.
final class ChunkWorkers<Worker: AnyObject, Result> {
  /// A chunk with its result. Only one thread at a time touches it.
  private final class Job: @unchecked Sendable {
    let chunk: TextChunk
    var result: Result?
    /// Signalled when the result is set.
    let done = DispatchSemaphore(value: 0)

    init(_ chunk: TextChunk) { self.chunk = chunk }
  }

  /// The jobs that wait for a thread. Each thread takes one when it is free: with batches of jobs, threads would wait
  /// at the end of each batch, for a fifth of the time with chunks of 256 KiB and four chunks a thread.
  private final class Queue: Sendable {
    private let waiting = Mutex<[Job]>([])
    /// Counts the jobs that wait.
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: Job) {
      waiting.withLock { $0.append(job) }
      available.signal()
    }

    /// Waits for the next job; nil after the end.
    func next() -> Job? {
      available.wait()
      return waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Ends each thread after its present job, and drops the jobs that have not begun.
    func end(threads: Int) {
      waiting.withLock { $0 = [] }
      for _ in 0..<threads { available.signal() }
    }
  }

  /// The loop of one thread, with the worker that only this thread uses.
  private struct WorkerLoop: @unchecked Sendable {
    let worker: Worker
    let queue: Queue
    let work: (Worker, TextChunk) -> Result

    func run() {
      while let job = queue.next() {
        job.result = work(worker, job.chunk)
        job.done.signal()
      }
    }
  }

  let workers: [Worker]
  private let receive: (TextChunk, Result) throws -> Void
  private let chunkSize: Int
  private let queue = Queue()
  private let threads = DispatchGroup()
  /// The jobs that were submitted and not yet received, in order.
  private var inWork: [Job] = []
  private var spareChunks: [TextChunk] = []

  /// Chunks in work per thread: enough to keep threads busy although chunks take unequal time and results are received
  /// in order.
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
    self.receive = receive
    for worker in workers {
      let loop = WorkerLoop(worker: worker, queue: queue, work: work)
      // One dispatch queue each: shared queues have few threads, and these loops would block them.
      DispatchQueue(label: "tempnet.chunks").async(group: threads) { loop.run() }
    }
  }

  /// An empty chunk; reuses a received one if possible.
  func newChunk() -> TextChunk { spareChunks.popLast() ?? TextChunk(capacity: chunkSize + chunkSize / 4) }

  func submit(_ chunk: TextChunk) throws {
    let job = Job(chunk)
    queue.add(job)
    inWork.append(job)
    if inWork.count > workers.count * Self.chunksPerWorker { try receiveFirst() }
  }

  /// Waits for all submitted chunks and receives their results.
  func finish() throws {
    while !inWork.isEmpty { try receiveFirst() }
  }

  private func receiveFirst() throws {
    let job = inWork.removeFirst()
    job.done.wait()
    try receive(job.chunk, job.result!)
    job.chunk.removeAll()
    spareChunks.append(job.chunk)
  }

  deinit {
    queue.end(threads: workers.count)
    threads.wait()
  }
}
