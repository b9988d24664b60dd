import Files
import WireFormats

/// A TensorBoard event file of scalars.
///
/// A file is a row of records: length (u64), the length's masked CRC-32C, the bytes of an `Event` message, their masked
/// CRC-32C. The wall time of an event is its step, because artifacts must not depend on the clock.
final class EventFile {
  /// TensorBoard recognises event files by `tfevents` in their name; the number would be the time.
  static let fileName = "events.out.tfevents.0.tempnet"
  private let writer: FileWriter

  /// - Parameter length: the length of an earlier run's file to keep; nil starts a new file.
  init(_ path: String, continuingAfter length: Int?) throws {
    if let length {
      writer = try FileWriter(continuing: path, after: length)
    } else {
      writer = try FileWriter(path)
      var event = ProtobufMessage()
      event.double(1, 0)
      event.string(3, "brain.Event:2")
      try write(event)
    }
  }

  var length: Int { writer.position }
  func flush() throws { try writer.flush() }
  func synchronise() throws { try writer.synchronise() }
  func close() throws { try writer.close() }

  /// Writes one event with a scalar per tag.
  func write(step: Int, _ scalars: [(tag: String, value: Double)]) throws {
    var summary = ProtobufMessage()
    for (tag, value) in scalars {
      var scalar = ProtobufMessage()
      scalar.string(1, tag)
      scalar.float(2, Float(value))
      summary.message(1, scalar)
    }
    var event = ProtobufMessage()
    event.double(1, Double(step))
    event.integer(2, step)
    event.message(5, summary)
    try write(event)
  }

  private func write(_ event: ProtobufMessage) throws {
    let length = withUnsafeBytes(of: UInt64(event.bytes.count).littleEndian) { Array($0) }
    try writer.write(length)
    try writer.write(littleEndian: CRC32C.masked(length))
    try writer.write(event.bytes)
    try writer.write(littleEndian: CRC32C.masked(event.bytes))
  }
}
