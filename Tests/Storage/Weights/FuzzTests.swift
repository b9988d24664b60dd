import Files
import TestSupport
import Testing

@testable import Weights

@Suite(.enabled(if: slowTestsEnabled)) struct FuzzTests {
  @Test func safetensors() throws {
    let samples = try ["mixed.safetensors", "empty.safetensors"].map { try Files.read(fixture($0)) }
    try fuzz(samples, as: "file.safetensors") { path in
      let file = try SafetensorsFile(path)
      for entry in file.entries {
        entry.withBytes { _ = $0.reduce(0) { $0 &+ Int($1) } }
        if entry.type.dtype?.isFloatingPoint == true {
          _ = try entry.floats()
        } else if entry.type.dtype != nil {
          _ = try entry.integers()
        }
        if let rows = entry.shape.first, rows > 0 { entry.withBytes(rows: rows - 1..<rows) { _ = $0.count } }
      }
    }
  }

  @Test func `PyTorch files`() throws {
    let samples = try ["state.pt", "checkpoint.pt"].map { try Files.read(fixture($0)) }
    try fuzz(samples, as: "file.pt") { path in
      for (_, tensor) in try PyTorchFile(path).tensors { _ = tensor.count }
    }
  }

  /// Without the archive around them, whose checksums find most damage before.
  @Test func pickles() throws {
    let samples = try ["state.pkl", "checkpoint.pkl"].map { try Files.read(fixture($0)) }
    try fuzz(samples, as: "data.pkl") { path in
      var reader = PickleReader(try Files.read(path), path: path)
      _ = try reader.read()
    }
  }
}
