import Diagnostics
import Files

/// Writes GGUF files, version 3, with tensors in float32.
public enum GGUFWriter {
  public enum Value: Sendable {
    case uint32(Int)
    case float32(Double)
    case float64(Double)
    case bool(Bool)
    case string(String)
    case strings([String])
    case integers([Int])
    case floats([Float])

    fileprivate var kind: GGUFValueKind {
      switch self {
      case .uint32: .uint32
      case .float32: .float32
      case .float64: .float64
      case .bool: .bool
      case .string: .string
      case .strings, .integers, .floats: .array
      }
    }
  }

  /// A tensor whose numbers are computed when they are written.
  public struct Tensor {
    let name: String
    /// Outermost first.
    let shape: [Int]
    let floats: () throws -> [Float]

    public init(_ name: String, shape: [Int], floats: @escaping () throws -> [Float]) {
      self.name = name
      self.shape = shape
      self.floats = floats
    }
  }

  /// Equal content gives equal bytes.
  public static func write(_ entries: [(key: String, value: Value)], _ tensors: [Tensor], to path: String) throws {
    let writer = try FileWriter(path)
    try putHeader(version: 3, tensors: tensors.count, entries: entries.count, writer)
    try put(entries, writer)
    var offset = 0
    for tensor in tensors {
      try put(tensor.name, writer)
      try writer.write(littleEndian: UInt32(tensor.shape.count))
      for size in tensor.shape.reversed() { try writer.write(littleEndian: UInt64(size)) }
      try writer.write(littleEndian: GGUFTensorType.float32.rawValue)
      try writer.write(littleEndian: UInt64(offset))
      offset = GGUFFile.aligned(offset + 4 * tensor.shape.reduce(1, *), to: GGUFFile.defaultAlignment)
    }
    for tensor in tensors {
      try pad(writer)
      let floats = try tensor.floats()
      precondition(floats.count == tensor.shape.reduce(1, *), "\(tensor.name): \(floats.count) numbers")
      try floats.withUnsafeBytes { try writer.write($0) }
    }
    try pad(writer)
    try writer.synchronise()
    try writer.close()
  }

  static func putHeader(version: UInt32, tensors: Int, entries: Int, _ writer: FileWriter) throws {
    try writer.write(GGUFFile.magic)
    try writer.write(littleEndian: version)
    try writer.write(littleEndian: UInt64(tensors))
    try writer.write(littleEndian: UInt64(entries))
  }

  static func put(_ entries: [(key: String, value: Value)], _ writer: FileWriter) throws {
    for (key, value) in entries {
      try put(key, writer)
      try writer.write(littleEndian: value.kind.rawValue)
      try put(value, writer)
    }
  }

  static func pad(_ writer: FileWriter, to alignment: Int = GGUFFile.defaultAlignment) throws {
    let end = GGUFFile.aligned(writer.position, to: alignment)
    try writer.write([UInt8](repeating: 0, count: end - writer.position))
  }

  private static func put(_ value: Value, _ writer: FileWriter) throws {
    switch value {
    case .uint32(let number): try writer.write(littleEndian: UInt32(number))
    case .float32(let number): try writer.write(littleEndian: Float(number).bitPattern)
    case .float64(let number): try writer.write(littleEndian: number.bitPattern)
    case .bool(let flag): try writer.write(littleEndian: UInt8(flag ? 1 : 0))
    case .string(let text): try put(text, writer)
    case .strings(let texts):
      try writer.write(littleEndian: GGUFValueKind.string.rawValue)
      try writer.write(littleEndian: UInt64(texts.count))
      for text in texts { try put(text, writer) }
    case .integers(let numbers):
      try writer.write(littleEndian: GGUFValueKind.int32.rawValue)
      try writer.write(littleEndian: UInt64(numbers.count))
      for number in numbers { try writer.write(littleEndian: Int32(number)) }
    case .floats(let numbers):
      try writer.write(littleEndian: GGUFValueKind.float32.rawValue)
      try writer.write(littleEndian: UInt64(numbers.count))
      try numbers.withUnsafeBytes { try writer.write($0) }
    }
  }

  private static func put(_ text: String, _ writer: FileWriter) throws {
    try writer.write(littleEndian: UInt64(text.utf8.count))
    try writer.write(text)
  }
}
