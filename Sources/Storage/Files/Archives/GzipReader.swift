import CZlib
import Diagnostics

/// Unpacks gzip with zlib, which checks the CRC-32 and the length at the end of each member.
///
/// A file may hold several members; their contents are joined. The last member may be followed by zeros, as disks and
/// tapes leave them. Other bytes are an error, because they may be a member with a damaged magic number.
public final class GzipReader: ByteSource {
  public let name: String
  private let source: any ByteSource
  private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 64)
  /// zlib's state holds the address of the stream.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  /// The number of packed bytes read from the source.
  private var taken = 0
  private var memberStart = 0
  private var members = 0
  private var isInsideMember = false

  /// - Parameter source: the packed bytes, from the first one on. The unpacked bytes take over its name.
  public init(_ source: any ByteSource) {
    name = source.name
    self.source = source
    stream.initialize(to: z_stream())
    // A window of 32 KiB, and the form of gzip alone.
    let outcome = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(outcome == Z_OK, "zlib cannot begin: \(outcome)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Whether bytes begin with gzip's magic number.
  static func isGzip(_ beginning: [UInt8]) -> Bool { beginning.starts(with: [0x1F, 0x8B]) }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let room = UInt32(clamping: buffer.count)
    stream.pointee.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_out = room
    while stream.pointee.avail_out > 0, try isInsideMember || beginMember() { try inflateMore() }
    return Int(room - stream.pointee.avail_out)
  }

  private func inflateMore() throws {
    switch inflate(stream, Z_NO_FLUSH) {
    case Z_OK: return
    case Z_STREAM_END: isInsideMember = false
    case Z_BUF_ERROR:
      guard try refill() else {
        throw Failure(
          .badData, "ends too early: the gzip data are cut short; copy or fetch the file again", at: name)
      }
    case Z_MEM_ERROR: throw Failure(.unavailable, "there is not enough memory to unpack it", at: name)
    default: throw damage
    }
  }

  /// Whether another member follows; false at the end of the source.
  private func beginMember() throws -> Bool {
    while true {
      guard try stream.pointee.avail_in > 0 || refill() else { return false }
      // Padding. The first byte of the file is never padding.
      if members > 0 && stream.pointee.next_in.pointee == 0 {
        stream.pointee.next_in += 1
        stream.pointee.avail_in -= 1
        continue
      }
      break
    }
    memberStart = taken - Int(stream.pointee.avail_in)
    if members > 0 && stream.pointee.next_in.pointee != 0x1F { throw somethingElse }
    inflateReset(stream)
    members += 1
    isInsideMember = true
    return true
  }

  private func refill() throws -> Bool {
    let count = try source.read(into: input)
    taken += count
    stream.pointee.next_in = input.bindMemory(to: UInt8.self).baseAddress
    stream.pointee.avail_in = UInt32(count)
    return count > 0
  }

  private var somethingElse: Failure {
    Failure(
      .badData,
      "the data from byte \(memberStart) on are not gzip data: the file is damaged there, or something was added; "
        + "gzip -dc FILE > NEW saves the part before", at: name)
  }

  private var damage: Failure {
    let word = stream.pointee.msg.map { String(cString: $0) } ?? "no reason given"
    // The fault is in the header of a further member, so these bytes are not a member.
    if word == "incorrect header check" && members > 1 { return somethingElse }
    let reason =
      switch word {
      case "incorrect data check": "its content has another CRC than gzip noted"
      case "incorrect length check": "its content has another length than gzip noted"
      default: word
      }
    let member = members > 1 ? " in the member that begins at byte \(memberStart)" : ""
    return Failure(.badData, "the gzip data are damaged\(member): \(reason); copy or fetch the file again", at: name)
  }
}
