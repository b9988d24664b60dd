/// The kinds of metadata values; raw values are those of the format.
enum GGUFValueKind: UInt32 {
  case uint8 = 0
  case int8 = 1
  case uint16 = 2
  case int16 = 3
  case uint32 = 4
  case int32 = 5
  case float32 = 6
  case bool = 7
  case string = 8
  case array = 9
  case uint64 = 10
  case int64 = 11
  case float64 = 12

  /// Bytes per value; nil for those whose length the file states.
  var size: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }

  /// The fewest bytes that a value can take, so that a count can be checked before its values are read.
  var smallestSize: Int { size ?? (self == .string ? 8 : 12) }
}

/// A value of a GGUF file's metadata. Strings and lists stay in the file until they are asked for.
public enum GGUFValue: Sendable {
  case integer(Int)
  /// An unsigned integer that `Int` does not hold.
  case large(UInt64)
  case number(Double)
  case bool(Bool)
  /// The range of the bytes, which should be UTF-8.
  case string(Range<Int>)
  case array(GGUFArray)

  var kindName: String {
    switch self {
    case .integer, .large: "an integer"
    case .number: "a number"
    case .bool: "a boolean"
    case .string: "a string"
    case .array: "a list"
    }
  }
}

/// A list in a GGUF file's metadata: the kind of its elements and their range in the file.
public struct GGUFArray: Sendable {
  let kind: GGUFValueKind
  public let count: Int
  let bytes: Range<Int>
}
