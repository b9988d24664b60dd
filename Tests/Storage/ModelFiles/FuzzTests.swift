import Files
import ModelFiles
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  /// A few small tensors, and metadata of several kinds.
  private static let small: [UInt8] = {
    var file = HandMadeGGUF()
    file.entries = [
      ("general.alignment", 4, HandMadeGGUF.integer(UInt32(32))),
      ("general.name", 8, HandMadeGGUF.string("small é")),
      // An array of strings, and one of 32-bit integers.
      (
        "words", 9,
        HandMadeGGUF.integer(UInt32(8)) + HandMadeGGUF.integer(UInt64(2)) + HandMadeGGUF.string("a")
          + HandMadeGGUF.string("")
      ),
      (
        "kinds", 9,
        HandMadeGGUF.integer(UInt32(5)) + HandMadeGGUF.integer(UInt64(2)) + HandMadeGGUF.integer(Int32(-1))
          + HandMadeGGUF.integer(Int32(7))
      ),
    ]
    file.tensors = [
      .init(name: "f32", dimensions: [2, 3], type: 0, data: [UInt8](repeating: 1, count: 24)),
      .init(name: "q8", dimensions: [32], type: 8, data: [UInt8](repeating: 2, count: 34)),
    ]
    return file.bytes
  }()

  private static func read(_ path: String) throws {
    let file = try GGUFFile(path)
    for tensor in file.tensors { _ = tensor.floats.count }
    for key in file.metadata.keys { _ = try? file.metadata.strings(ifPresent: key) }
  }

  @Test func `GGUF files`() throws {
    try fuzz([Self.small, try Files.read(fixture("blocks.gguf"))], as: "model.gguf", Self.read)
  }

  @Test func `a GGUF file cut anywhere is refused, or lacks only padding`() throws {
    let folder = try TemporaryFolder()
    for sample in [Self.small, try Files.read(fixture("blocks.gguf"))] {
      try AtomicFile.write(sample, to: folder("whole.gguf"))
      let whole = try Self.numbers(folder("whole.gguf"))
      try truncations(of: sample, as: "model.gguf") { try Self.numbers($0) == whole }
    }
  }

  private static func numbers(_ path: String) throws -> [[UInt32]] {
    try GGUFFile(path).tensors.map { $0.floats.map(\.bitPattern) }
  }
}
