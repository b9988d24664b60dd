import Glibc
import Testing

@testable import Tokenization

@Suite struct ChunkWorkersTests {
  private final class Worker {}
  private struct Refused: Error {}

  /// Submits chunks of 1, 2, 3... bytes to workers that count the bytes.
  private func submit(_ count: Int, to workers: ChunkWorkers<Worker, Int>) throws {
    for size in 1...count {
      let chunk = workers.newChunk()
      chunk.text.append([UInt8](repeating: 65, count: size)[...])
      try workers.submit(chunk)
    }
  }

  private func workers(_ threads: Int, receive: @escaping (Int) throws -> Void) -> ChunkWorkers<Worker, Int> {
    ChunkWorkers((0..<threads).map { _ in Worker() }, chunkSize: 64) { _, chunk in
      usleep(chunk.text.count % 3 == 0 ? 2000 : 0)
      return chunk.text.count
    } receive: {
      #expect($0.text.count == $1)
      try receive($1)
    }
  }

  @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 5])
  func `all results come, in the order of the chunks`(threads: Int) throws {
    var received: [Int] = []
    let workers = workers(threads) { received.append($0) }
    try submit(100, to: workers)
    try workers.finish()
    #expect(received == Array(1...100))
  }

  @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 5])
  func `an error of the receiver ends the work`(threads: Int) {
    var received: [Int] = []
    #expect(throws: Refused.self) {
      let workers = workers(threads) {
        if received.count == 5 { throw Refused() }
        received.append($0)
      }
      try submit(100, to: workers)
      try workers.finish()
    }
    #expect(received == Array(1...5))
  }

  @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 5])
  func `workers that are released early end, and no result is received`(threads: Int) throws {
    var received = 0
    try submit(4 * threads, to: workers(threads) { _ in received += 1 })
    #expect(received == 0)
  }
}
