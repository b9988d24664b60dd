import Glibc

/// Copies bytes and replaces invalid UTF-8 exactly as Python's `bytes.decode('utf-8', 'replace')` does: one U+FFFD for
/// each maximal part of an ill-formed sequence (Unicode 16.0, section 3.9, table 3-8).
///
/// A sequence may lie across two calls: its beginning waits for the rest.
struct UTF8Repair {
  /// An incomplete sequence at the end of the last call, well-formed so far; at most three bytes.
  private var pending: [UInt8] = []

  private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  /// Appends the valid form of `bytes` to `output`.
  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout ByteBuffer) {
    var rest = bytes[...]
    while !pending.isEmpty, let next = rest.first {
      pending.append(next)
      switch pending.withUnsafeBufferPointer({ Self.sequence($0[...]) }) {
      case .valid(let length):
        output.append(pending[..<length])
        pending = []
        rest = rest.dropFirst()
      case .incomplete:
        rest = rest.dropFirst()
      case .invalid:
        // The pending bytes are a maximal part; the next byte does not continue them and begins a new sequence.
        output.append(Self.replacement[...])
        pending = []
      }
    }
    guard !rest.isEmpty else { return }
    appendWhole(UnsafeBufferPointer(rebasing: rest), to: &output)
  }

  /// Ends the text. An incomplete sequence becomes one replacement.
  mutating func finish(to output: inout ByteBuffer) {
    if !pending.isEmpty { output.append(Self.replacement[...]) }
    pending = []
  }

  private mutating func appendWhole(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout ByteBuffer) {
    var copied = 0
    var i = 0
    while i < bytes.count {
      i += Self.asciiPrefix(bytes, from: i)
      guard i < bytes.count else { break }
      switch Self.sequence(bytes[i...]) {
      case .valid(let length):
        i += length
      case .incomplete:
        output.append(bytes[copied..<i])
        pending = Array(bytes[i...])
        return
      case .invalid(let length):
        output.append(bytes[copied..<i])
        output.append(Self.replacement[...])
        i += length
        copied = i
      }
    }
    output.append(bytes[copied...])
  }

  /// The number of ASCII bytes from `start` on, found in steps of eight.
  @inline(__always)
  private static func asciiPrefix(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    let base = UnsafeRawPointer(bytes.baseAddress!)
    var i = start
    while i + 8 <= bytes.count,
      base.loadUnaligned(fromByteOffset: i, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    { i += 8 }
    while i < bytes.count, bytes[i] < 0x80 { i += 1 }
    return i - start
  }

  enum Sequence {
    case valid(length: Int)
    /// The bytes end inside a sequence that is well-formed so far.
    case incomplete
    /// `length` bytes are a maximal part of an ill-formed sequence.
    case invalid(length: Int)
  }

  /// Classifies the sequence that begins with the first byte.
  @inline(__always)
  static func sequence(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Sequence {
    let start = bytes.startIndex
    let first = bytes[start]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0x00...0x7F: return .valid(length: 1)
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: length = 4
    default: return .invalid(length: 1)
    }
    for offset in 1..<length {
      guard offset < bytes.count else { return .incomplete }
      let byte = bytes[start + offset]
      let allowed = offset == 1 ? second : 0x80...0xBF
      guard allowed.contains(byte) else { return .invalid(length: offset) }
    }
    return .valid(length: length)
  }
}
