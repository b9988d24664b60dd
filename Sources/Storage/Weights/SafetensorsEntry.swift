import Diagnostics
import Files
import ModelFiles

/// One tensor of a safetensors file. Its bytes are read when they are used.
public struct SafetensorsEntry: Sendable {
  public let description: TensorDescription
  let file: MappedFile
  let bytes: Range<Int>

  public var name: String { description.name }
  public var type: ElementType { description.type }
  public var shape: [Int] { description.shape }
  /// How many numbers it holds.
  public var count: Int { bytes.count / type.size }
  /// File and tensor, for messages.
  public var place: String { "\(file.path), \"\(name)\"" }

  func matches(_ sizes: [Int?]) -> Bool {
    sizes.count == shape.count && zip(sizes, shape).allSatisfy { $0 == nil || $0 == $1 }
  }

  /// Gives access to the tensor's bytes: little-endian, row-major, of any alignment.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeRawBufferPointer(rebasing: file.bytes[bytes]))
  }

  /// Gives access to the bytes of a range of rows (indices of the outermost dimension).
  public func withBytes<Result>(
    rows: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    precondition(
      !shape.isEmpty && rows.lowerBound >= 0 && rows.upperBound <= shape[0],
      "\(name): rows \(rows) of shape \(shape)")
    let stride = shape[0] == 0 ? 0 : bytes.count / shape[0]
    let start = bytes.lowerBound + rows.lowerBound * stride
    return try body(UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + rows.count * stride]))
  }

  /// Releases the memory of the tensor's mapped bytes; they are read again when they are used.
  public func release() { file.release(bytes) }

  /// The numbers as 32-bit floats; half and bfloat16 widen exactly, float64 is rounded.
  ///
  /// - Throws: `.badData` where the tensor holds whole numbers.
  public func floats() throws -> [Float] {
    try withBytes { try Self.floats($0, type: type, place: place) }
  }

  /// The numbers of a range of rows as 32-bit floats.
  public func floats(rows: Range<Int>) throws -> [Float] {
    try withBytes(rows: rows) { try Self.floats($0, type: type, place: place) }
  }

  /// The numbers as integers.
  ///
  /// - Throws: `.badData` where the tensor holds floating-point numbers, or a number above `Int.max`.
  public func integers() throws -> [Int] {
    try withBytes { try Self.integers($0, type: type, place: place) }
  }

  /// The numbers of a range of rows as integers.
  public func integers(rows: Range<Int>) throws -> [Int] {
    try withBytes(rows: rows) { try Self.integers($0, type: type, place: place) }
  }

  private static func floats(
    _ bytes: UnsafeRawBufferPointer, type: ElementType, place: String
  ) throws -> [Float] {
    switch type {
    case .float32: bytes.copied(as: Float.self)
    case .float64: bytes.numbers(UInt64.self) { Float(Double(bitPattern: $0)) }
    case .float16: bytes.numbers(UInt16.self) { Float(half: $0) }
    case .bfloat16: bytes.numbers(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    default: throw Failure(.badData, "holds \(type.rawValue), not floating-point numbers", at: place)
    }
  }

  private static func integers(
    _ bytes: UnsafeRawBufferPointer, type: ElementType, place: String
  ) throws -> [Int] {
    switch type {
    case .bool, .uint8: bytes.numbers(UInt8.self) { Int($0) }
    case .int8: bytes.numbers(Int8.self) { Int($0) }
    case .int16: bytes.numbers(Int16.self) { Int($0) }
    case .uint16: bytes.numbers(UInt16.self) { Int($0) }
    case .int32: bytes.numbers(Int32.self) { Int($0) }
    case .uint32: bytes.numbers(UInt32.self) { Int($0) }
    case .int64: bytes.copied(as: Int.self)
    case .uint64:
      try bytes.numbers(UInt64.self) {
        guard let value = Int(exactly: $0) else {
          throw Failure(.badData, "\($0) is more than a signed 64-bit number holds", at: place)
        }
        return value
      }
    default: throw Failure(.badData, "holds \(type.rawValue), not whole numbers", at: place)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The buffer's numbers without conversion: files and all processors of Swift are little-endian.
  fileprivate func copied<Number: BitwiseCopyable>(as _: Number.Type) -> [Number] {
    let size = count / MemoryLayout<Number>.size
    return [Number](unsafeUninitializedCapacity: size) { numbers, initialised in
      UnsafeMutableRawBufferPointer(numbers).copyMemory(from: self)
      initialised = size
    }
  }

  /// Reads the buffer as little-endian numbers of one width, whatever its alignment.
  fileprivate func numbers<Stored: FixedWidthInteger, Number>(
    _: Stored.Type, _ convert: (Stored) throws -> Number
  ) rethrows -> [Number] {
    let width = MemoryLayout<Stored>.size
    return try (0..<(count / width)).map {
      try convert(Stored(littleEndian: loadUnaligned(fromByteOffset: $0 * width, as: Stored.self)))
    }
  }
}
