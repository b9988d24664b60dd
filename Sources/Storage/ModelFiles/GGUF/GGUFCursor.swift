import Diagnostics
import Files

/// Reads a GGUF file from its beginning, and refuses to read beyond its end.
struct GGUFCursor {
  let file: MappedFile
  var offset = 0

  /// How deeply lists may be nested.
  private static let deepest = 8

  mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type, _ what: @autoclosure () -> String
  ) throws -> Integer {
    try room(MemoryLayout<Integer>.size, what())
    defer { offset += MemoryLayout<Integer>.size }
    return Integer(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: Integer.self))
  }

  /// A 64-bit count of items, refused where items of `size` bytes would exceed the rest of the file.
  mutating func count(_ what: @autoclosure () -> String, eachAtLeast size: Int) throws -> Int {
    let count = try integer(UInt64.self, what())
    let left = file.count - offset
    guard count <= UInt64(left / size) else {
      throw Failure(.badData, "\(what()) is \(count), but only \(left) bytes follow", at: file.path)
    }
    return Int(count)
  }

  /// The range of a string's bytes in the file.
  mutating func string(_ what: @autoclosure () -> String) throws -> Range<Int> {
    let length = try count("the length of \(what())", eachAtLeast: 1)
    defer { offset += length }
    return offset..<offset + length
  }

  /// A string that is a name: not empty, and UTF-8.
  mutating func name(_ what: @autoclosure () -> String) throws -> String {
    let place = try string(what())
    guard !place.isEmpty, let name = String(validating: file.bytes[place], as: UTF8.self) else {
      throw Failure(.badData, "\(what()) is empty or not UTF-8", at: file.path)
    }
    return name
  }

  mutating func value(_ what: @autoclosure () -> String) throws -> GGUFValue {
    let raw = try integer(UInt32.self, "the kind of \(what())")
    guard let kind = GGUFValueKind(rawValue: raw) else {
      throw Failure(.badData, "\(what()) is of kind \(raw), which is not known", at: file.path)
    }
    return try value(of: kind, what(), depth: 0)
  }

  mutating func value(of kind: GGUFValueKind, _ what: @autoclosure () -> String, depth: Int) throws -> GGUFValue {
    switch kind {
    case .uint8: return .integer(Int(try integer(UInt8.self, what())))
    case .int8: return .integer(Int(try integer(Int8.self, what())))
    case .uint16: return .integer(Int(try integer(UInt16.self, what())))
    case .int16: return .integer(Int(try integer(Int16.self, what())))
    case .uint32: return .integer(Int(try integer(UInt32.self, what())))
    case .int32: return .integer(Int(try integer(Int32.self, what())))
    case .int64: return .integer(Int(try integer(Int64.self, what())))
    case .uint64:
      let value = try integer(UInt64.self, what())
      return Int(exactly: value).map { .integer($0) } ?? .large(value)
    case .float32: return .number(Double(Float(bitPattern: try integer(UInt32.self, what()))))
    case .float64: return .number(Double(bitPattern: try integer(UInt64.self, what())))
    case .bool:
      let byte = try integer(UInt8.self, what())
      guard byte <= 1 else { throw Failure(.badData, "\(what()) is \(byte), not a boolean", at: file.path) }
      return .bool(byte == 1)
    case .string: return .string(try string(what()))
    case .array: return .array(try array(what(), depth: depth + 1))
    }
  }

  /// Skips the elements of a list, checking that the file holds them.
  private mutating func array(_ what: @autoclosure () -> String, depth: Int) throws -> GGUFArray {
    guard depth <= Self.deepest else {
      throw Failure(.badData, "\(what()) has lists in lists more than \(Self.deepest) deep", at: file.path)
    }
    let raw = try integer(UInt32.self, "the kind of the elements of \(what())")
    guard let kind = GGUFValueKind(rawValue: raw) else {
      throw Failure(.badData, "the elements of \(what()) are of kind \(raw), which is not known", at: file.path)
    }
    let count = try count("the number of elements of \(what())", eachAtLeast: kind.smallestSize)
    let start = offset
    if let size = kind.size {
      offset += count * size
    } else if kind == .string {
      for _ in 0..<count { _ = try string("an element of \(what())") }
    } else {
      for _ in 0..<count { _ = try array(what(), depth: depth + 1) }
    }
    return GGUFArray(kind: kind, count: count, bytes: start..<offset)
  }

  private func room(_ size: Int, _ what: @autoclosure () -> String) throws {
    guard size <= file.count - offset else {
      throw Failure(
        .badData, "ends at byte \(file.count), before \(what()) (\(size) bytes at \(offset))", at: file.path)
    }
  }
}
