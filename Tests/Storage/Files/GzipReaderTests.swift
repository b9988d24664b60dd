import Diagnostics
import TestSupport
import Testing

@testable import Files

/// Comments give the messages of `gzip -t`, version 1.12, for the same files.
@Suite struct GzipReaderTests {
  private let folder: TemporaryFolder
  private let content = (0..<20_000).map { "line \($0 * 7919 % 10_007)\n" }.joined()
  private let packed: [UInt8]

  init() throws {
    folder = try TemporaryFolder()
    HandMadeArchive.write([HandMadeArchive.Entry(name: "data", content: content)], .raw, .gzip, to: folder("sound"))
    packed = try Files.read(folder("sound"))
  }

  private func read(_ bytes: [UInt8], room: Int = 10_007) throws -> String {
    try AtomicFile.write(bytes, to: folder("x.gz"))
    let reader = GzipReader(try FileReader(folder("x.gz")))
    var text: [UInt8] = []
    while case let more = try reader.read(upTo: room), !more.isEmpty { text += more }
    return String(decoding: text, as: UTF8.self)
  }

  private func failure(_ bytes: [UInt8]) throws -> Failure? {
    let failure = #expect(throws: Failure.self) { try read(bytes) }
    #expect(failure?.status == .badData && failure?.place == folder("x.gz"))
    return failure
  }

  @Test func `joins members, and ignores zeros after the last as padding`() throws {
    for room in [1, 10_007, 1 << 20] { #expect(try read(packed, room: room) == content) }
    #expect(try read(packed + packed) == content + content)
    #expect(try read(packed + [UInt8](repeating: 0, count: 300_000)) == content)
    #expect(try read(packed + [0, 0] + packed) == content + content)
    let empty: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(try read(empty) == "")
    #expect(try read(empty + packed + empty) == content)
  }

  @Test func `compares CRC and length`() throws {
    func changed(_ distance: Int) -> [UInt8] {
      var bytes = packed
      bytes[bytes.count - distance] ^= 1
      return bytes
    }
    // "invalid compressed data--crc error", "invalid compressed data--length error"
    #expect(try failure(changed(8))?.message.contains("another CRC") == true)
    #expect(try failure(changed(4))?.message.contains("another length") == true)
    #expect(try failure(packed + changed(8))?.message.contains("begins at byte \(packed.count)") == true)
  }

  @Test func `refuses data after the last member`() throws {
    // "decompression OK, trailing garbage ignored"
    let behind = "the data from byte \(packed.count) on are not gzip data"
    #expect(try failure(packed + Array("more".utf8))?.message.hasPrefix(behind) == true)
    #expect(try failure(packed + [packed[0] ^ 1] + packed.dropFirst())?.message.hasPrefix(behind) == true)
    #expect(try failure(packed + [0x1F] + Array("more".utf8))?.message.hasPrefix(behind) == true)
  }

  @Test func `a file cut at any place is an error`() throws {
    // "unexpected end of file"
    for cut in [1, 4, 5, 8, 9, 20, packed.count / 2, packed.count - 12, packed.count - 1] {
      #expect(try failure(Array(packed.dropLast(cut)))?.message.hasPrefix("ends too early") == true, "\(cut)")
    }
    for length in [1, 2, 4, 11] {
      #expect(try failure(packed + packed.prefix(length))?.message.hasPrefix("ends too early") == true, "\(length)")
    }
  }
}
