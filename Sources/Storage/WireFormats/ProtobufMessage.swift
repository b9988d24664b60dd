/// Writes a message in protobuf's wire format, which TensorBoard's event files and ONNX models use.
///
/// Fields are written in the order of the calls. The caller's schema defines their numbers and types.
/// https://protobuf.dev/programming-guides/encoding/
public struct ProtobufMessage: Sendable {
  public private(set) var bytes: [UInt8] = []

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
  }

  public init() {}

  /// A field of type int32, int64, uint64, bool or an enumeration.
  public mutating func integer(_ field: Int, _ value: Int) {
    tag(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  public mutating func double(_ field: Int, _ value: Double) {
    tag(field, .fixed64)
    append(littleEndian: value.bitPattern)
  }

  public mutating func float(_ field: Int, _ value: Float) {
    tag(field, .fixed32)
    append(littleEndian: value.bitPattern)
  }

  public mutating func string(_ field: Int, _ value: String) { self.bytes(field, value.utf8) }

  public mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
    tag(field, .lengthDelimited)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// A field that is itself a message.
  public mutating func message(_ field: Int, _ value: ProtobufMessage) { bytes(field, value.bytes) }

  private mutating func tag(_ field: Int, _ type: WireType) { varint(UInt64(field) << 3 | type.rawValue) }

  /// Seven bits per byte, lowest first; the high bit says that more follow.
  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append(littleEndian value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
}
