import Files

/// A tensor to be written: its description, and access to its bytes when they are written.
public struct StoredTensor {
  public let description: TensorDescription
  /// Calls its argument once with the numbers, little-endian and row-major.
  let withBytes: (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

  public init(
    _ name: String, _ type: ElementType, _ shape: [Int],
    withBytes: @escaping (_ body: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) {
    description = TensorDescription(name, type, shape)
    self.withBytes = withBytes
  }

  public init(_ name: String, _ numbers: [Float], _ shape: [Int]) {
    self.init(name, .float32, shape) { body in try numbers.withUnsafeBytes(body) }
  }

  public init(_ name: String, _ numbers: [Double], _ shape: [Int]) {
    self.init(name, .float64, shape) { body in try numbers.withUnsafeBytes(body) }
  }

  public init(_ name: String, _ numbers: [Int32], _ shape: [Int]) {
    self.init(name, .int32, shape) { body in try numbers.withUnsafeBytes(body) }
  }

  public init(_ name: String, _ numbers: [Int64], _ shape: [Int]) {
    self.init(name, .int64, shape) { body in try numbers.withUnsafeBytes(body) }
  }

  public init(_ name: String, _ numbers: [UInt8], _ shape: [Int]) {
    self.init(name, .uint8, shape) { body in try numbers.withUnsafeBytes(body) }
  }
}

public enum SafetensorsWriter {
  /// Writes a file under a temporary name, flushes it and renames it, so that a reader finds the old file or the new one,
  /// whole. Equal tensors and metadata give equal bytes.
  public static func write(
    _ tensors: [StoredTensor], metadata: [String: String] = [:], to path: String
  ) throws {
    try AtomicFile.replace(path) { temporary in
      let writer = try SafetensorsStreamWriter(
        creating: temporary, tensors: tensors.map(\.description), metadata: metadata)
      for tensor in tensors {
        try tensor.withBytes { bytes in
          precondition(
            bytes.count == tensor.description.byteCount,
            "\(tensor.description.name): \(bytes.count) bytes for shape \(tensor.description.shape)")
          try writer.write(rows: bytes, of: tensor.description.name, at: 0)
        }
      }
      try writer.finish()
    }
  }
}
