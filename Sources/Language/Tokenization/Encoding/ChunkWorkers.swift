import Dispatch
import Synchronization

/// Runs a function over chunks on several threads while the caller makes further chunks, and hands the results over in
/// the order of the chunks, so that nothing shows how many threads there were.
///
/// A limited number of chunks is underway at a time, and memory is bounded by them.
final class ChunkWorkers<Worker: AnyObject, Result> {
  /// A chunk with its result. Only one thread at a time touches it.
  private final class Job: @unchecked Sendable {
    let chunk: TextChunk
    var result: Result?
    /// Signalled when the result is there.
    let done = DispatchSemaphore(value: 0)

    init(_ chunk: TextChunk) { self.chunk = chunk }
  }

  /// Where threads take their next job from, whenever they are through with one: were jobs dealt out in batches, some
  /// would wait at the end of each, at 256 KiB a chunk and four chunks a thread for a fifth of the time.
  private final class Queue: Sendable {
    private let waiting = Mutex<[Job]>([])
    /// Counts the jobs that wait.
    private let available = DispatchSemaphore(value: 0)

    func add(_ job: Job) {
      waiting.withLock { $0.append(job) }
      available.signal()
    }

    /// The next job, as soon as there is one; nil after the end.
    func next() -> Job? {
      available.wait()
      return waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    /// Has threads leave after what they are at. Jobs that nobody has begun are dropped.
    func end(threads: Int) {
      waiting.withLock { $0 = [] }
      for _ in 0..<threads { available.signal() }
    }
  }

  /// What a thread works with; each worker belongs to one.
  private struct Shift: @unchecked Sendable {
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
  /// What was submitted and not yet received, in order.
  private var underway: [Job] = []
  private var idle: [TextChunk] = []

  /// Chunks underway per thread: enough that threads find work although the caller receives results in order and chunks take
  /// unequal time.
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
      let shift = Shift(worker: worker, queue: queue, work: work)
      // A queue of its own, since the threads of shared ones are few, and these wait in theirs.
      DispatchQueue(label: "tempnet.chunks").async(group: threads) { shift.run() }
    }
  }

  /// An empty chunk, perhaps one used before.
  func newChunk() -> TextChunk { idle.popLast() ?? TextChunk(capacity: chunkSize + chunkSize / 4) }

  func submit(_ chunk: TextChunk) throws {
    let job = Job(chunk)
    queue.add(job)
    underway.append(job)
    if underway.count > workers.count * Self.chunksPerWorker { try receiveFirst() }
  }

  /// Works off everything submitted.
  func finish() throws {
    while !underway.isEmpty { try receiveFirst() }
  }

  private func receiveFirst() throws {
    let job = underway.removeFirst()
    job.done.wait()
    try receive(job.chunk, job.result!)
    job.chunk.removeAll()
    idle.append(job.chunk)
  }

  deinit {
    queue.end(threads: workers.count)
    threads.wait()
  }
}
