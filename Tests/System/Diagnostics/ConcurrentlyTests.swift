import Diagnostics
import Testing

@Suite struct ConcurrentlyTests {
  @Test(arguments: [1, 2, 5, 100]) func `values come in the order of the elements`(_ threads: Int) throws {
    #expect(try concurrently(Array(0..<50), threads: threads) { $0 * $0 } == (0..<50).map { $0 * $0 })
    #expect(try concurrently([Int](), threads: threads) { $0 } == [])
  }

  @Test func `the first failure is thrown`() {
    let failure = #expect(throws: Failure.self) {
      try concurrently(Array(0..<50), threads: 4) { number in
        if number >= 7 { throw Failure(.badData, "\(number)") }
      }
    }
    #expect(failure?.message == "7")
  }
}
