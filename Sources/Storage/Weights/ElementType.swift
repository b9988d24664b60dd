/// The type of a stored tensor's numbers; raw values are the names in a safetensors header.
///
/// The cases are in the safetensors library's order, by which it orders the data in a file: the widest types first, so that
/// every tensor is aligned.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8E5M2 = "F8_E5M2"
  case float8E4M3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes per number.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8, .float8E5M2, .float8E4M3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// The place in the library's ranking.
  var rank: Int { Self.allCases.firstIndex(of: self)! }
}

/// The header's description of one tensor.
public struct TensorDescription: Equatable, Sendable {
  public let name: String
  public let type: ElementType
  /// Sizes of the dimensions, outermost first; empty for a single number.
  public let shape: [Int]

  public init(_ name: String, _ type: ElementType, _ shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "\(name): a dimension of \(shape) is negative")
    self.name = name
    self.type = type
    self.shape = shape
  }

  /// The size in bytes; nil where it exceeds 64 bits.
  public var byteCount: Int? {
    // The safetensors library refuses an overflow of the other factors even where a zero makes the tensor empty.
    var product = type.size
    for dimension in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      product = next
    }
    return product
  }
}
