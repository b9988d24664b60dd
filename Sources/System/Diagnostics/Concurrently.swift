import Dispatch
import Synchronization

/// Computes a value for each element on several threads, and returns the values in the order of the elements. A thread takes
/// the next element when it is free.
///
/// - Throws: what the work on the first of the elements threw that failed.
public func concurrently<Element: Sendable, Value: Sendable>(
  _ elements: [Element], threads: Int, _ work: @Sendable (Element) throws -> Value
) throws -> [Value] {
  guard threads > 1, elements.count > 1 else { return try elements.map(work) }
  let next = Atomic(0)
  let results = Mutex([Result<Value, any Error>?](repeating: nil, count: elements.count))
  DispatchQueue.concurrentPerform(iterations: min(threads, elements.count)) { _ in
    while true {
      let index = next.add(1, ordering: .relaxed).oldValue
      guard index < elements.count else { return }
      let result = Result { try work(elements[index]) }
      results.withLock { $0[index] = result }
    }
  }
  return try results.withLock { $0 }.map { try $0!.get() }
}
