/// Counts invalid UTF-8 while a text is read, and keeps samples from which its encoding can be guessed.
struct UTF8Tally {
  /// Enough bytes to guess an encoding.
  private static let sampleSize = 1 << 14
  private static let beginningSize = 1 << 12

  /// All bytes of the text.
  private(set) var bytes = 0
  /// Bytes of invalid UTF-8.
  private(set) var invalid = 0
  /// The number of U+FFFD by which `UTF8Repair` replaces them.
  private(set) var replacements = 0
  /// The number of well-formed sequences of several bytes near invalid ones.
  private(set) var wellFormedNearby = 0
  /// The first bytes of the text.
  private(set) var beginning: [UInt8] = []
  /// Bytes around the first invalid ones.
  private(set) var sample: [UInt8] = []
  /// An incomplete sequence at the end of the last bytes.
  private var pending: [UInt8] = []

  mutating func add(_ new: UnsafeBufferPointer<UInt8>) {
    bytes += new.count
    if beginning.count < Self.beginningSize { beginning += new.prefix(Self.beginningSize - beginning.count) }
    if pending.isEmpty { return count(new) }
    let joined = pending + new
    pending = []
    joined.withUnsafeBufferPointer { count($0) }
  }

  /// Ends the text. An incomplete sequence is invalid.
  mutating func finish() {
    guard !pending.isEmpty else { return }
    invalid += pending.count
    replacements += 1
    pending = []
  }

  private mutating func count(_ bytes: UnsafeBufferPointer<UInt8>) {
    let whole = bytes.count - Self.unfinished(bytes)
    let isValid = (try? UTF8Span(validating: UnsafeBufferPointer(rebasing: bytes[..<whole]).span)) != nil
    if isValid { pending = Array(bytes[whole...]) } else { countEach(bytes) }
  }

  /// The length of an incomplete sequence at the end that is well-formed so far; 0 without one.
  private static func unfinished(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    for length in 1...3 where length <= bytes.count {
      if case .incomplete = UTF8Repair.sequence(bytes[(bytes.count - length)...]) { return length }
    }
    return 0
  }

  private mutating func countEach(_ bytes: UnsafeBufferPointer<UInt8>) {
    var i = 0
    var sampled = 0
    while i < bytes.count {
      switch UTF8Repair.sequence(bytes[i...]) {
      case .valid(let length):
        if length > 1 { wellFormedNearby += 1 }
        i += length
      case .invalid(let length):
        invalid += length
        replacements += 1
        takeSample(around: i, in: bytes, after: &sampled)
        i += length
      case .incomplete:
        pending = Array(bytes[i...])
        return
      }
    }
  }

  private mutating func takeSample(around place: Int, in bytes: UnsafeBufferPointer<UInt8>, after sampled: inout Int) {
    guard sample.count < Self.sampleSize, place >= sampled else { return }
    let part = max(sampled, place - 64)..<min(place + 192, bytes.count)
    sample += bytes[part]
    sampled = part.upperBound
  }
}
