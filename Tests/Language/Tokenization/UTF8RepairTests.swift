import Files
import JSON
import RandomNumbers
import TestSupport
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

  /// Repairs bytes in parts of a given size.
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

  @Test func `does not change valid text`() {
    let text = Array(motley(seed: 3, parts: 400).utf8)
    for size in [1, 7, 64, 1 << 20] { #expect(repaired(text, inPartsOf: size) == text) }
  }
}

@Suite struct UTF8TallyTests {
  @Test func `counts the bytes that the repair replaces, wherever they are cut`() {
    var random = SplitMix64(seed: 7)
    for round in 0..<300 {
      var bytes = Array(motley(seed: UInt64(round), parts: 30).utf8)
      for _ in 0..<round % 20 where !bytes.isEmpty {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let given = bytes.indices.dropLast(2).count { bytes[$0..<$0 + 3].elementsEqual([0xEF, 0xBF, 0xBD]) }
      var tally = UTF8Tally()
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = rest.prefix(Int.random(in: 1...(round % 3 == 0 ? 4 : 400), using: &random))
        part.withUnsafeBufferPointer { tally.add($0) }
        rest = rest.dropFirst(part.count)
      }
      tally.finish()
      #expect(tally.bytes == bytes.count)
      #expect(tally.replacements == text.unicodeScalars.count { $0 == "\u{FFFD}" } - given)
      let valid = text.utf8.count - 3 * tally.replacements
      #expect(tally.invalid == bytes.count - valid)
    }
  }
}
