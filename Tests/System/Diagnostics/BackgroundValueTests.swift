import Diagnostics
import Glibc
import Synchronization
import Testing

@Suite struct BackgroundValueTests {
  @Test(arguments: [true, false]) func `the value or the error of the work comes back, as often as asked`(
    isConcurrent: Bool
  ) throws {
    let value = BackgroundValue(isConcurrent: isConcurrent) { 42 }
    #expect(try value.value() == 42)
    #expect(try value.value() == 42)
    let failed = BackgroundValue<Int>(isConcurrent: isConcurrent) { throw Failure(.badData, "is rotten", at: "apple") }
    #expect(throws: Failure.self) { try failed.value() }
  }

  @Test func `work that nobody asks for is over when its owner is`() {
    final class Flag: Sendable {
      let isSet = Atomic(false)
    }
    let flag = Flag()
    _ = BackgroundValue {
      usleep(20_000)
      flag.isSet.store(true, ordering: .releasing)
    }
    let isSet = flag.isSet.load(ordering: .acquiring)
    #expect(isSet)
  }
}
