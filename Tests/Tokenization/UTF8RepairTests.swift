import Artifacts
import Testing

@testable import Tokenization

@Suite struct UTF8RepairTests {
  private struct Repair {
    let bytes: [UInt8]
    let text: [UInt8]

    static let all: [Repair] = {
      let json = try! JSON(parsing: Files.read(fixture("repairs.json")), source: "repairs.json")
      return json.arrayValue!.map { entry in
        Repair(
          bytes: entry["bytes"]!.arrayValue!.map { UInt8($0.intValue!) }, text: Array(entry["text"]!.stringValue!.utf8))
      }
    }()
  }

  /// Repairs bytes that come in parts of a given size.
  private func repaired(_ bytes: [UInt8], inPartsOf size: Int) -> [UInt8] {
    var output = ByteBuffer(capacity: 4)
    var repair = UTF8Repair()
    for start in stride(from: 0, to: bytes.count, by: size) {
      bytes[start..<min(start + size, bytes.count)].withUnsafeBufferPointer { repair.append($0, to: &output) }
    }
    repair.finish(to: &output)
    return Array(output.bytes)
  }

  @Test func `replaces ill-formed bytes as Python does, wherever they are cut`() {
    for example in Repair.all {
      for size in [1, 2, 3, 5, 1000] { #expect(repaired(example.bytes, inPartsOf: size) == example.text) }
    }
  }

  @Test func `leaves valid text as it is`() {
    let text = Array(motley(seed: 3, parts: 400).utf8)
    for size in [1, 7, 64, 1 << 20] { #expect(repaired(text, inPartsOf: size) == text) }
  }
}
