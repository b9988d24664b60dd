import Files
import TestSupport
import Testing
import WireFormats

@testable import EmbedStage

/// Damaged arrays of embeddings that were made elsewhere.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  private static func array(_ type: String, _ shape: [Int], _ bytes: [UInt8]) -> [UInt8] {
    var header = NumpyArray.floatHeader(shape: shape)
    header.replaceSubrange(header.firstRange(of: Array("<f4".utf8))!, with: Array(type.utf8))
    return header + bytes
  }

  @Test func `rows of embeddings`() throws {
    let numbers = [UInt8](0..<96)
    let samples = [("<f4", [4, 6]), ("<f8", [4, 3]), ("<f2", [12, 4])].map { Self.array($0.0, $0.1, numbers) }
    try fuzz(samples, as: "rows.npy") { path in
      let rows = try NumpyRows(path)
      let some = [0, rows.count / 2, rows.count - 1]
      if rows(some).shape != [3, rows.width] { throw OtherShape() }
      for row in some { _ = rows.bytes(row).reduce(0) { $0 &+ Int($1) } }
    }
    try truncations(of: samples[0], as: "rows.npy") { path in
      _ = try NumpyRows(path)
      return false
    }
  }

  @Test func `pictures of captions`() throws {
    let owners = (0..<8).map { Int64($0 / 2) }
    let short = owners.map(Int32.init)
    let samples = [
      Self.array("<i8", [8], owners.withUnsafeBytes { Array($0) }),
      Self.array("<i4", [8], short.withUnsafeBytes { Array($0) }),
    ]
    try fuzz(samples, as: "map.npy") { path in
      let owners = try NumpyMap.read(path, captions: 8, pictures: 4)
      if owners.count != 8 || !owners.allSatisfy((0..<4).contains) { throw OtherShape() }
    }
    try truncations(of: samples[0], as: "map.npy") { path in
      _ = try NumpyMap.read(path, captions: 8, pictures: 4)
      return false
    }
  }

  private struct OtherShape: Error {}
}
