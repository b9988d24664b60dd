import Glibc

/// A growing array of bytes that may be read a little past its end, so that the encoder can load words of text with
/// whole vector registers.
///
/// Not copyable: it owns its memory.
struct ByteBuffer: ~Copyable {
  /// The number of bytes past the end that may be read.
  static let padding = 64

  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    base = Self.allocate(capacity)
  }

  deinit { base.deallocate() }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + padding)
    // Bytes past the end are masked before use, but have to be initialised.
    memset(memory, 0, capacity + padding)
    return memory
  }

  var isEmpty: Bool { count == 0 }
  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

  private mutating func reserve(_ needed: Int) {
    guard needed > capacity else { return }
    capacity = max(needed, capacity * 2)
    let larger = Self.allocate(capacity)
    memcpy(larger, base, count)
    base.deallocate()
    base = larger
  }

  mutating func append(_ slice: Slice<UnsafeBufferPointer<UInt8>>) {
    append(UnsafeBufferPointer(rebasing: slice))
  }

  mutating func append(_ slice: ArraySlice<UInt8>) {
    slice.withUnsafeBufferPointer { append($0) }
  }

  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
    reserve(count + bytes.count)
    memcpy(base + count, source, bytes.count)
    count += bytes.count
  }

  /// Moves the bytes from `cut` on to another buffer, which must be empty.
  mutating func moveTail(from cut: Int, to other: inout ByteBuffer) {
    precondition(other.isEmpty && cut <= count)
    other.append(UnsafeBufferPointer(start: base + cut, count: count - cut))
    count = cut
  }

  mutating func removeAll() { count = 0 }
}
