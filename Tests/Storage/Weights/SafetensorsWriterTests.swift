import Diagnostics
import Files
import Foundation
import TestSupport
import Testing
import Torch
import Weights

struct SafetensorsWriterTests {
  private let folder = try! TemporaryFolder()

  /// The tensors of `mixed.safetensors`, in another order.
  private var mixed: [StoredTensor] {
    let values: [Float] = [0, -0.0, 1, -1.5, 3.140625, 65504]
    let half = values.map { Float16($0).bitPattern }
    let brain = values.map { UInt16($0.bitPattern >> 16) }
    return [
      StoredTensor("flags", .bool, [3]) { body in try [1, 0, 1 as UInt8].withUnsafeBytes(body) },
      StoredTensor("scaler", [0.25 as Float], []),
      StoredTensor("none", [Float](), [0, 5]),
      StoredTensor("proj.0.weight", (0..<12).map { Float($0) / 8 }, [4, 3]),
      StoredTensor("half", .float16, [2, 3]) { body in try half.withUnsafeBytes(body) },
      StoredTensor("brain", .bfloat16, [3, 2]) { body in try brain.withUnsafeBytes(body) },
      StoredTensor("wide", [Double.pi, -M_E], [2]),
      StoredTensor("labels", [-1, 1 << 40] as [Int64], [2]),
      StoredTensor("ids", [7, -7, Int32.max], [3]),
      StoredTensor("big", .uint64, [1]) { body in try [UInt64.max].withUnsafeBytes(body) },
      StoredTensor("bytes", [0, 127, 255] as [UInt8], [3]),
      StoredTensor("Größe ✓", .int8, [1]) { body in try [Int8(-128)].withUnsafeBytes(body) },
    ]
  }

  @Test func `writes the same bytes as the library`() throws {
    let path = folder("mixed.safetensors")
    try SafetensorsWriter.write(mixed, metadata: ["note": "a \"quoted\" word, a\ttab, ümlaut"], to: path)
    #expect(try Files.read(path) == Files.read(fixture("mixed.safetensors")))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["mixed.safetensors"])
    try SafetensorsWriter.write([StoredTensor](), to: path)
    #expect(try Files.read(path) == Files.read(fixture("empty.safetensors")))
  }

  @Test func `the order of tensors does not change the bytes`() throws {
    let (a, b) = (folder("a"), folder("b"))
    try SafetensorsWriter.write(mixed, metadata: ["x": "1", "y": "2"], to: a)
    try SafetensorsWriter.write(mixed.reversed(), metadata: ["y": "2", "x": "1"], to: b)
    #expect(try Files.read(a) == Files.read(b))
  }

  @Test func `keeps the old file when writing fails`() throws {
    struct Unreadable: Error {}
    let path = folder("a.safetensors")
    try SafetensorsWriter.write([StoredTensor("a", [1 as Float], [1])], to: path)
    let before = try Files.read(path)
    #expect(throws: Unreadable.self) {
      try SafetensorsWriter.write([StoredTensor("a", .float32, [1]) { _ in throw Unreadable() }], to: path)
    }
    #expect(try Files.read(path) == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
  }

  @Test func `names the path of a file that cannot be created`() {
    let failure = #expect(throws: Failure.self) { try SafetensorsWriter.write([StoredTensor](), to: "/nowhere/a") }
    #expect(failure?.description.contains("/nowhere/a") == true)
  }

  @Test func `tensors are read back as written`() throws {
    let path = folder("tensors.safetensors")
    let weight = Tensor((0..<6).map { Float($0) - 2.5 }, shape: [2, 3])
    let tensors = [
      ("weight", weight), ("transposed", weight.transposed(0, 1)), ("scalar", Tensor(scalar: 7)),
      ("half", weight.to(.bfloat16)), ("ids", Tensor([1, -2])),
    ]
    try SafetensorsWriter.write(tensors, to: path)
    let file = try SafetensorsFile(path)
    #expect(try Tensor(file.entry("weight")).floats == weight.floats)
    #expect(try Tensor(file.entry("transposed")).shape == [3, 2])
    #expect(try Tensor(file.entry("transposed")).floats == [-2.5, 0.5, -1.5, 1.5, -0.5, 2.5])
    #expect(try Tensor(file.entry("scalar")).shape == [])
    #expect(try Tensor(file.entry("half")).dtype == .bfloat16)
    #expect(try Tensor(file.entry("half")).floats == weight.floats)
    #expect(try Tensor(file.entry("ids")).integers == [1, -2])
    #expect(try Tensor(file.entry("weight"), rows: 1..<2).floats == [0.5, 1.5, 2.5])
  }

  @Test func `refuses types that tensors do not have`() throws {
    let file = try SafetensorsFile(fixture("mixed.safetensors"))
    let failure = #expect(throws: Failure.self) { try Tensor(file.entry("big")) }
    #expect(failure?.message == "holds U64, which is not supported as a tensor")
  }
}
