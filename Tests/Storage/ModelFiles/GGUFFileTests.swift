import Diagnostics
import Files
import RandomNumbers
import TestSupport
import Testing

@testable import ModelFiles

@Suite struct GGUFFileTests {
  private static let blocks = try! GGUFFile(fixture("blocks.gguf"))

  @Test func `every type gives the numbers of the gguf package, to the bit`() throws {
    let expected = try Files.read(fixture("blocks.f32")).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    var start = 0
    for tensor in Self.blocks.tensors {
      let numbers = expected[start..<start + tensor.count]
      let differing = zip(tensor.floats, numbers).enumerated().filter { _, pair in
        pair.0.bitPattern != pair.1.bitPattern && !(pair.0.isNaN && pair.1.isNaN)
      }
      #expect(differing.isEmpty, "\(tensor.name): \(differing.prefix(3))")
      start += tensor.count
    }
    #expect(start == expected.count)
    #expect(Set(Self.blocks.tensors.map(\.type)) == Set(GGUFTensorType.allCases))
  }

  @Test func `half precision is exact whether or not the processor flushes denormal numbers`() {
    for bits in UInt16.min...UInt16.max {
      let (ours, swifts) = (Float(half: bits), Float(Float16(bitPattern: bits)))
      // With libtorch in the process, Swift's own conversion gives zero for these.
      let isDenormal = bits & 0x7C00 == 0 && bits & 0x3FF != 0
      if isDenormal {
        #expect(ours == Float(bits & 0x3FF) * 0x1p-24 * (bits & 0x8000 == 0 ? 1 : -1))
      } else {
        #expect(ours.bitPattern == swifts.bitPattern || ours.isNaN && swifts.isNaN)
      }
    }
  }

  @Test func `shapes are given outermost first`() {
    #expect(Self.blocks["f32"]?.shape == [2, 4])
    #expect(Self.blocks["Q6_K"]?.shape == [2, 512])
    #expect(Self.blocks["none"] == nil)
  }

  @Test func `large tensors are converted in parts`() throws {
    // More than one part; a part ends within a row.
    let columns = 32 * 1031
    let rows = 70
    var file = HandMadeGGUF()
    var data: [UInt8] = []
    for block in 0..<columns * rows / 32 {
      data += [UInt8(truncatingIfNeeded: block), 0x2C] + (0..<32).map { UInt8(truncatingIfNeeded: block &* 7 &+ $0) }
    }
    file.tensors = [.init(name: "q", dimensions: [columns, rows], type: 8, data: data)]
    let numbers = try file.open().tensors[0].floats
    #expect(numbers.count == columns * rows)
    for block in stride(from: 0, to: columns * rows / 32, by: 997) {
      let scale = Float(Float16(bitPattern: 0x2C00 | UInt16(UInt8(truncatingIfNeeded: block))))
      let byte = Int8(bitPattern: UInt8(truncatingIfNeeded: block &* 7 &+ 5))
      #expect(numbers[block * 32 + 5] == scale * Float(byte))
    }
  }

  @Test func `reads metadata of every kind`() throws {
    let metadata = Self.blocks.metadata
    #expect(try metadata.integer("kind.uint8") == 255)
    #expect(try metadata.integer("kind.int8") == -128)
    #expect(try metadata.integer("kind.uint16") == 65535)
    #expect(try metadata.integer("kind.int16") == -32768)
    #expect(try metadata.integer("kind.uint32") == 4_294_967_295)
    #expect(try metadata.integer("kind.int32") == -2_147_483_648)
    #expect(try metadata.integer("kind.int64") == Int.min)
    #expect(throws: Failure.self) { try metadata.integer("kind.uint64") }
    #expect(try metadata.number(ifPresent: "kind.float32") == Double(Float(1e-5)))
    #expect(try metadata.number(ifPresent: "kind.float64") == 0.1)
    #expect(try metadata.bool(ifPresent: "kind.bool") == true)
    #expect(try metadata.string("kind.string") == "naïve 🙂")
    #expect(try metadata.strings("kind.strings") == ["", "a", "Ġthe"])
    #expect(try metadata.integers(ifPresent: "kind.integers") == [1, -2, 3])
    #expect(try metadata.numbers(ifPresent: "kind.numbers") == [0.5, -1.5])
    #expect(try metadata.integer(ifPresent: "kind.none") == nil)
    let failure = #expect(throws: Failure.self) { try metadata.string("kind.bool") }
    #expect(failure?.message == "kind.bool must be a string, found a boolean")
  }

  @Test func `version 2 is read, others and other byte orders are refused`() throws {
    var file = HandMadeGGUF()
    file.version = 2
    #expect(throws: Never.self) { try file.open() }
    file.version = 1
    expectRefusal(file, saying: "version 1")
    file.version = 0x0300_0000
    expectRefusal(file, saying: "big-endian")
    #expect(throws: Failure.self) { try HandMadeGGUF.open(Array("PK\u{3}\u{4}abcdefgh".utf8)) }
  }

  @Test func `a file cut anywhere is refused`() throws {
    var file = HandMadeGGUF()
    file.entries = [("general.alignment", 4, [32, 0, 0, 0]), ("text", 8, HandMadeGGUF.string("abc"))]
    file.tensors = [
      .init(name: "a", dimensions: [4], type: 0, data: Array(0..<16)),
      .init(name: "b", dimensions: [2, 3], type: 1, data: Array(0..<12)),
    ]
    let bytes = file.bytes
    #expect(throws: Never.self) { try HandMadeGGUF.open(bytes) }
    for count in 0..<bytes.count - file.slack {
      let failure = #expect(throws: Failure.self) { try HandMadeGGUF.open(Array(bytes[..<count])) }
      #expect(failure?.status == .badData)
    }
  }

  @Test func `names the field that does not fit the others`() throws {
    func tensor(_ dimensions: [Int], type: UInt32 = 0, offset: UInt64? = nil, count: Int? = nil) -> HandMadeGGUF {
      var file = HandMadeGGUF()
      let data = [UInt8](repeating: 1, count: count ?? 4 * dimensions.reduce(1, *))
      file.tensors = [.init(name: "w", dimensions: dimensions, type: type, data: data, offset: offset)]
      return file
    }
    expectRefusal(tensor([31], type: 8, count: 34), saying: "whole blocks of 32")
    expectRefusal(tensor([256], type: 17, count: 74), saying: "IQ2_XS")
    expectRefusal(tensor([8], type: 77, count: 74), saying: "number 77")
    expectRefusal(tensor([1, 1, 1, 1, 1]), saying: "5 dimensions")
    expectRefusal(tensor([0], count: 4), saying: "size of 0")
    expectRefusal(tensor([1 << 40, 1 << 40], count: 4), saying: "too many")
    expectRefusal(tensor([1 << 62], count: 4), saying: "too many")
    expectRefusal(tensor([8], offset: 8), saying: "alignment")
    expectRefusal(tensor([8], offset: 32), saying: "bytes of data")
    expectRefusal(tensor([8], offset: 1 << 63), saying: "bytes of data")

    var file = HandMadeGGUF()
    file.tensors = [
      .init(name: "a", dimensions: [16], type: 0, data: Array(repeating: 0, count: 64)),
      .init(name: "b", dimensions: [16], type: 0, data: Array(repeating: 0, count: 64), offset: 32),
    ]
    expectRefusal(file, saying: "\"a\" and \"b\" overlap")
    file.tensors[1].name = "a"
    file.tensors[1].offset = nil
    expectRefusal(file, saying: "two tensors \"a\"")

    func entries(_ entries: [(String, UInt32, [UInt8])]) -> HandMadeGGUF {
      var file = HandMadeGGUF()
      file.entries = entries
      return file
    }
    expectRefusal(entries([("a", 4, [1, 0, 0, 0]), ("a", 0, [1])]), saying: "\"a\" twice")
    expectRefusal(entries([("a", 13, [1])]), saying: "kind 13")
    expectRefusal(entries([("a", 7, [2])]), saying: "not a boolean")
    expectRefusal(entries([("", 7, [1])]), saying: "key of metadata entry 0")
    expectRefusal(entries([("general.alignment", 4, [12, 0, 0, 0])]), saying: "general.alignment")
    expectRefusal(entries([("general.alignment", 8, HandMadeGGUF.string("x"))]), saying: "general.alignment")
    let huge = HandMadeGGUF.integer(UInt64.max / 8)
    expectRefusal(entries([("a", 9, HandMadeGGUF.integer(UInt32(8)) + huge)]), saying: "elements of \"a\"")
    expectRefusal(entries([("a", 9, HandMadeGGUF.integer(UInt32(12)) + huge)]), saying: "elements of \"a\"")
    expectRefusal(entries([("a", 8, huge + [1, 2, 3])]), saying: "length of \"a\"")
    var nested: [UInt8] = HandMadeGGUF.integer(UInt32(0)) + HandMadeGGUF.integer(UInt64(0))
    for _ in 0..<9 { nested = HandMadeGGUF.integer(UInt32(9)) + HandMadeGGUF.integer(UInt64(1)) + nested }
    expectRefusal(entries([("a", 9, nested)]), saying: "lists in lists")
    expectRefusal(entries([("a", 9, HandMadeGGUF.integer(UInt32(99)) + huge)]), saying: "kind 99")
  }

  @Test func `impossible counts are refused before memory is allocated for them`() {
    for place in [8, 16] {
      var bytes = HandMadeGGUF().bytes
      bytes.replaceSubrange(place..<place + 8, with: HandMadeGGUF.integer(UInt64.max))
      let failure = #expect(throws: Failure.self) { try HandMadeGGUF.open(bytes) }
      #expect(failure?.message.contains("18446744073709551615") == true)
    }
  }

  private func expectRefusal(_ file: HandMadeGGUF, saying word: String) {
    let failure = #expect(throws: Failure.self) { try file.open() }
    #expect(failure?.status == .badData)
    #expect(failure?.place?.contains(".gguf") == true)
    #expect(failure?.description.contains(word) == true, "\(String(describing: failure))")
  }
}

/// A GGUF file put together field by field, so that each can be wrong.
struct HandMadeGGUF {
  struct Tensor {
    var name: String
    /// Innermost first.
    var dimensions: [Int]
    var type: UInt32
    var data: [UInt8]
    var offset: UInt64?
  }

  var version: UInt32 = 3
  /// Key, kind, and the value's bytes.
  var entries: [(String, UInt32, [UInt8])] = []
  var tensors: [Tensor] = []

  static func integer<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian, Array.init)
  }
  static func string(_ text: String) -> [UInt8] { integer(UInt64(text.utf8.count)) + Array(text.utf8) }

  /// Padding at the end, which belongs to no tensor.
  var slack: Int { (32 - (tensors.last?.data.count ?? 0) % 32) % 32 }

  var bytes: [UInt8] {
    var bytes = Array("GGUF".utf8) + Self.integer(version)
    bytes += Self.integer(UInt64(tensors.count)) + Self.integer(UInt64(entries.count))
    for (key, kind, value) in entries { bytes += Self.string(key) + Self.integer(kind) + value }
    var data: [UInt8] = []
    for tensor in tensors {
      bytes += Self.string(tensor.name) + Self.integer(UInt32(tensor.dimensions.count))
      for size in tensor.dimensions { bytes += Self.integer(UInt64(size)) }
      bytes += Self.integer(tensor.type) + Self.integer(tensor.offset ?? UInt64(data.count))
      data += tensor.data + Array(repeating: 0, count: (32 - tensor.data.count % 32) % 32)
    }
    return bytes + Array(repeating: 0, count: (32 - bytes.count % 32) % 32) + data
  }

  func open() throws -> GGUFFile { try Self.open(bytes) }

  static func open(_ bytes: [UInt8], in folder: TemporaryFolder? = nil) throws -> GGUFFile {
    let folder = try folder ?? TemporaryFolder()
    let writer = try FileWriter(folder("file.gguf"))
    try writer.write(bytes)
    try writer.close()
    // Mapped, so it stays readable when the folder is removed.
    return try GGUFFile(folder("file.gguf"))
  }
}
