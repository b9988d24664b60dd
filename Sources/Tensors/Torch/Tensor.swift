import CTorch
import Glibc

/// The type of a tensor's elements; raw values are libtorch's `ScalarType`.
public enum DType: Int, Sendable, CaseIterable, CustomStringConvertible {
  case uint8 = 0
  case int8 = 1
  case int16 = 2
  case int32 = 3
  case int64 = 4
  case float16 = 5
  case float32 = 6
  case float64 = 7
  case bool = 11
  case bfloat16 = 15

  public var byteCount: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .int16, .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .float32, .float64, .bfloat16: true
    case .uint8, .int8, .int16, .int32, .int64, .bool: false
    }
  }

  public var description: String {
    switch self {
    case .uint8: "uint8"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .bool: "bool"
    case .bfloat16: "bfloat16"
    }
  }
}

/// An n-dimensional array of libtorch's, row-major, with automatic differentiation.
///
/// Copies of a value share its elements, as in PyTorch; methods whose names say so (`copy(from:)`, `fill(with:)`) change the
/// elements for all of them. Methods do not throw: wrong shapes, and memory that ran out, are reported to
/// `UnrecoverableFailure` with the operator and the shapes. Where a user's data decides a shape, check it first.
public struct Tensor: @unchecked Sendable {
  // libtorch counts references atomically, and tensors here are written by one thread at a time.
  private final class Handle {
    let reference: ctorch_tensor_ref
    init(_ reference: ctorch_tensor_ref) { self.reference = reference }
    deinit { ctorch_release(reference) }
  }
  private let handle: Handle

  /// Takes over a reference that the C boundary handed out.
  init(owning reference: ctorch_tensor_ref) { handle = Handle(reference) }
  var reference: ctorch_tensor_ref { handle.reference }

  public var rank: Int { ctorch_rank(reference) }
  public var shape: [Int] { (0..<rank).map { Int(ctorch_size(reference, $0)) } }
  public var count: Int { shape.reduce(1, *) }
  public var dtype: DType {
    guard let dtype = DType(rawValue: Int(ctorch_dtype(reference))) else { fatalError("an element type we never make") }
    return dtype
  }
  public var device: Device { ctorch_is_cuda(reference) ? .cuda : .cpu }

  /// Type and shape, as `float32[8, 3]`.
  public var summary: String { "\(dtype)\(shape)" }

  /// The size of one dimension; negative ones count from the last.
  public func size(_ dimension: Int) -> Int {
    Int(ctorch_size(reference, dimension < 0 ? rank + dimension : dimension))
  }
}

// MARK: - Host memory

/// A Swift type whose values are elements of tensors.
public protocol TensorElement: BitwiseCopyable, Sendable {
  static var dtype: DType { get }
  static var zero: Self { get }
}
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }

extension Tensor {
  /// Copies elements, row by row, from host memory.
  public init<Element: TensorElement>(_ elements: [Element], shape: [Int]? = nil) {
    let shape = shape ?? [elements.count]
    precondition(shape.reduce(1, *) == elements.count, "\(elements.count) elements do not fill shape \(shape)")
    self = elements.withUnsafeBytes { Tensor(bytes: $0, dtype: Element.dtype, shape: shape) }
  }

  public init(_ elements: [Int], shape: [Int]? = nil) { self.init(elements.map(Int64.init), shape: shape) }

  /// A tensor of rank 0.
  public init(scalar: Float) { self.init([scalar], shape: []) }

  /// Copies raw little-endian elements, row by row.
  public init(bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int]) {
    let needed = shape.reduce(1, *) * dtype.byteCount
    precondition(bytes.count == needed, "\(bytes.count) bytes for \(dtype)\(shape), which needs \(needed)")
    TorchRuntime.prepare()
    var result: ctorch_tensor_ref?
    Operator.check("from_bytes") {
      shape.map(Int64.init).withUnsafeBufferPointer {
        ctorch_from_bytes(bytes.baseAddress, Int32(dtype.rawValue), $0.baseAddress, $0.count, &result)
      }
    }
    self.init(owning: result!)
  }

  /// The elements in host memory, row by row; converts to `Element` first where the types differ.
  public func elements<Element: TensorElement>(as type: Element.Type) -> [Element] {
    let source = dtype == Element.dtype ? self : to(Element.dtype)
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      source.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  public var floats: [Float] { elements(as: Float.self) }
  public var doubles: [Double] { elements(as: Double.self) }
  public var integers: [Int64] { elements(as: Int64.self) }

  /// The only element of a tensor that has one.
  public var item: Double {
    precondition(count == 1, "\(summary) has not just one element")
    return doubles[0]
  }

  /// Writes the raw elements, row by row, to memory of exactly their size.
  public func copyBytes(to buffer: UnsafeMutableRawBufferPointer) {
    Operator.check("copy_bytes", [.tensor(self)]) { ctorch_copy_bytes(reference, buffer.baseAddress, buffer.count) }
  }

  /// The raw elements, row by row, as the machine holds them (little endian on every platform we build for).
  public var bytes: [UInt8] {
    let size = count * dtype.byteCount
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      copyBytes(to: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<size])))
      initialized = size
    }
  }

  /// Calls `body` with the raw elements, row by row. They are copied only where they do not lie so in the processor's
  /// memory.
  public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    // The tensor is kept until `body` is done with its memory.
    defer { withExtendedLifetime(self) {} }
    guard let start = ctorch_row_major_bytes(reference) else { return try bytes.withUnsafeBytes(body) }
    return try body(UnsafeRawBufferPointer(start: start, count: count * dtype.byteCount))
  }
}

// MARK: - Making tensors

extension Tensor {
  public static func zeros(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    Operator.one("aten::zeros", "", [.integers(shape)], named: ["dtype": .dtype(dtype), "device": .device(device)])
  }
  public static func ones(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    Operator.one("aten::ones", "", [.integers(shape)], named: ["dtype": .dtype(dtype), "device": .device(device)])
  }
  public static func empty(_ shape: [Int], dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    Operator.one(
      "aten::empty", "memory_format", [.integers(shape)], named: ["dtype": .dtype(dtype), "device": .device(device)])
  }
  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu) -> Tensor {
    Operator.one(
      "aten::full", "", [.integers(shape), .number(value)], named: ["dtype": .dtype(dtype), "device": .device(device)])
  }
  /// A tensor of this one's shape, type and device with one value.
  public func filled(with value: Double) -> Tensor { .full(shape, value, dtype: dtype, device: device) }
  /// The integers `0..<count`.
  public static func arange(_ count: Int, dtype: DType = .int64, device: Device = .cpu) -> Tensor {
    Operator.one("aten::arange", "", [.integer(count)], named: ["dtype": .dtype(dtype), "device": .device(device)])
  }
  /// Draws from N(mean, standardDeviation²) with the generator that `TorchRuntime.seed` sets.
  public static func normal(_ shape: [Int], mean: Double = 0, standardDeviation: Double = 1) -> Tensor {
    let tensor = empty(shape)
    Operator.must("aten::normal_", "", [.tensor(tensor), .number(mean), .number(standardDeviation)])
    return tensor
  }
  /// Draws uniformly from [low, high).
  public static func uniform(_ shape: [Int], low: Double, high: Double) -> Tensor {
    let tensor = empty(shape)
    Operator.must("aten::uniform_", "", [.tensor(tensor), .number(low), .number(high)])
    return tensor
  }
  public static func concatenate(_ tensors: [Tensor], dimension: Int = 0) -> Tensor {
    Operator.one("aten::cat", "", [.tensors(tensors), .integer(dimension)])
  }
  public static func stack(_ tensors: [Tensor], dimension: Int = 0) -> Tensor {
    Operator.one("aten::stack", "", [.tensors(tensors), .integer(dimension)])
  }
}
