import Diagnostics
import Foundation
import ProcessGroups
import Synchronization

/// The processes of a group as threads of this one. They work in turns, each until it waits for the others, because
/// libtorch's random generators belong to the whole process.
public struct ThreadTransport: Transport {
  public let rank: Int
  public let size: Int
  private let meeting: Meeting

  /// Calls `body` once for each process, and waits for all.
  ///
  /// - Returns: the results in the order of ranks.
  public static func run<Success: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (any ProcessGroup) throws -> Success
  ) -> [Result<Success, any Error>] {
    let meeting = Meeting(size)
    let results = Mutex<[Int: Result<Success, any Error>]>([:])
    let ended = DispatchSemaphore(value: 0)
    for rank in 0..<size {
      let thread = Thread {
        meeting.takeTurn()
        let processes = ConnectedProcesses(ThreadTransport(rank: rank, size: size, meeting: meeting))
        let result = Result { try body(processes) }
        results.withLock { $0[rank] = result }
        meeting.leave()
        ended.signal()
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
    for _ in 0..<size { ended.wait() }
    return results.withLock { results in (0..<size).map { results[$0]! } }
  }

  public func exchange(_ pieces: [[UInt8]], receiving lengths: [Int]) throws -> [[UInt8]] {
    let received = try meeting.meet(rank, "exchange", pieces).map { $0[rank] }
    guard received.map(\.count) == lengths else {
      throw Failure(.internal, "pieces of \(received.map(\.count)) bytes, and \(lengths) were expected")
    }
    return received
  }

  public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] { try meeting.meet(rank, "gather", [bytes]).map { $0[0] } }

  public func broadcast(_ bytes: [UInt8], from rank: Int) throws -> [UInt8] {
    try meeting.meet(self.rank, "broadcast", [bytes])[rank][0]
  }

  public func maximum(_ value: Int32) throws -> Int32 {
    let bytes = withUnsafeBytes(of: value) { Array($0) }
    return try meeting.meet(rank, "maximum", [bytes]).map { part in
      part[0].withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    }.max()!
  }

  public func abort(_ status: Int32) -> Never { fatalError("process \(rank) ends all with \(status)") }
}

/// Where the threads of a group wait for each other.
private final class Meeting: @unchecked Sendable {
  /// Held by the thread that works.
  private let turn = NSCondition()
  private let size: Int
  private var present: [Int: [[UInt8]]] = [:]
  private var purpose = ""
  private var passed: [[[UInt8]]] = []
  private var number = 0
  private var gone = 0

  init(_ size: Int) { self.size = size }

  func takeTurn() { turn.lock() }

  func leave() {
    gone += 1
    turn.broadcast()
    turn.unlock()
  }

  /// Waits for all others, and returns what each has brought.
  ///
  /// - Throws: where they are gone, or came for something else.
  func meet(_ rank: Int, _ purpose: String, _ parts: [[UInt8]]) throws -> [[[UInt8]]] {
    if present.isEmpty { self.purpose = purpose }
    guard self.purpose == purpose else {
      throw Failure(.internal, "process \(rank) came to \(purpose), and the others to \(self.purpose)")
    }
    present[rank] = parts
    guard present.count < size else {
      passed = (0..<size).map { present[$0]! }
      present = [:]
      number += 1
      turn.broadcast()
      return passed
    }
    let own = number
    while number == own {
      guard gone == 0 else { throw Failure(.internal, "process \(rank) waits to \(purpose) with one that has ended") }
      turn.wait()
    }
    return passed
  }
}
