import Diagnostics
import Torch

extension ElementType {
  /// The tensor type with the same layout; nil for types without one in `DType`.
  public var dtype: DType? {
    switch self {
    case .bool: .bool
    case .uint8: .uint8
    case .int8: .int8
    case .int16: .int16
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .int32: .int32
    case .float32: .float32
    case .float64: .float64
    case .int64: .int64
    case .float8E5M2, .float8E4M3, .uint16, .uint32, .uint64: nil
    }
  }

  public init(_ dtype: DType) {
    switch dtype {
    case .bool: self = .bool
    case .uint8: self = .uint8
    case .int8: self = .int8
    case .int16: self = .int16
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    case .int32: self = .int32
    case .float32: self = .float32
    case .float64: self = .float64
    case .int64: self = .int64
    }
  }
}

extension Tensor {
  /// Copies a stored tensor, in its own type, into a new one on the CPU.
  ///
  /// - Throws: `.badData` for types that tensors do not have (float8, unsigned 16 to 64 bits).
  public init(_ entry: SafetensorsEntry) throws {
    let dtype = try entry.tensorType
    self = entry.withBytes { Tensor(bytes: $0, dtype: dtype, shape: entry.shape) }
  }

  /// Copies a range of rows (indices of the outermost dimension).
  public init(_ entry: SafetensorsEntry, rows: Range<Int>) throws {
    let dtype = try entry.tensorType
    let shape = [rows.count] + entry.shape.dropFirst()
    self = entry.withBytes(rows: rows) { Tensor(bytes: $0, dtype: dtype, shape: shape) }
  }
}

extension SafetensorsFile {
  /// A tensor in float32 on the CPU. The mapped bytes of the file are released, so that a model is not in memory twice.
  ///
  /// - Throws: `Failure` with `.badData` unless it is there with this shape and holds floating-point numbers.
  public func tensor(_ name: String, shape: [Int]) throws -> Tensor {
    let entry = try entry(name, shape: shape)
    guard entry.type.dtype?.isFloatingPoint == true else {
      throw Failure(.badData, "holds \(entry.type.rawValue), expected floating-point numbers", at: entry.place)
    }
    defer { entry.release() }
    return try Tensor(entry).to(.float32)
  }
}

extension SafetensorsEntry {
  fileprivate var tensorType: DType {
    get throws {
      guard let dtype = type.dtype else {
        throw Failure(.badData, "holds \(type.rawValue), which is not supported as a tensor", at: place)
      }
      return dtype
    }
  }
}

extension StoredTensor {
  /// A tensor on any device, written in its own type; it is copied to host memory when it is written.
  public init(_ name: String, _ tensor: Tensor) {
    self.init(name, ElementType(tensor.dtype), tensor.shape) { body in try tensor.withBytes(body) }
  }
}

extension SafetensorsWriter {
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String
  ) throws {
    try write(tensors.map { StoredTensor($0.name, $0.tensor) }, metadata: metadata, to: path)
  }
}

extension SafetensorsStreamWriter {
  /// Writes the rows of a tensor, whose type and row shape must be those of the header.
  public func write(rows: Tensor, of name: String, at row: Int) throws {
    try rows.withBytes { try write(rows: $0, of: name, at: row) }
  }
}
