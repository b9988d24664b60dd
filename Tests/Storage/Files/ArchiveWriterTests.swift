import Diagnostics
import Files
import Glibc
import TestSupport
import Testing

@Suite struct ArchiveWriterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ name: String) throws -> [UInt8] {
    try folder.write(String(repeating: "weights ", count: 50_000), to: "weights")
    let writer = try ArchiveWriter(folder(name))
    try writer.add("b/weights.bin", file: folder("weights"))
    try writer.add("a.json", "{}\n")
    try writer.add("Émma.txt", "né")
    try writer.add("empty", [UInt8]())
    try writer.close()
    return try Files.read(folder(name))
  }

  @Test func `entries are read back in the order given`() throws {
    _ = try write("bundle.tar.zst")
    let entries = try readAll(folder("bundle.tar.zst"))
    #expect(entries.map(\.name) == ["b/weights.bin", "a.json", "Émma.txt", "empty"])
    #expect(entries[0].content == String(repeating: "weights ", count: 50_000))
    #expect(entries[1].content == "{}\n")
  }

  @Test func `equal content gives equal bytes whenever it is written`() throws {
    let first = try write("one.tar.zst")
    usleep(1_100_000)  // Times in a tar file are whole seconds.
    #expect(try write("two.tar.zst") == first)
  }

  @Test func `a place that cannot be written to is an input or output error`() throws {
    let failure = #expect(throws: Failure.self) { try ArchiveWriter(folder("nowhere/bundle.tar.zst")) }
    #expect(failure?.status == .inputOutput)
    let full = #expect(throws: Failure.self) {
      let writer = try ArchiveWriter("/dev/full")
      try writer.add("x", (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) })
      try writer.close()
    }
    #expect(full?.status == .inputOutput)
    #expect(full?.message.contains("No space left on device") == true)
  }
}
