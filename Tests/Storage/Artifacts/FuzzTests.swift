import Artifacts
import Files
import TestSupport
import Testing

/// Damaged files of every kind that this target reads.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `manifests`() throws {
    let sample = try Files.read("\(Files.folder(of: #filePath))/Fixtures/artifact-v1/artifact.json")
    try fuzz([sample], as: Manifest.fileName) { _ = try Manifest(of: Files.folder(of: $0)) }
    // The digest would refuse nearly all damage first, so it is computed again for the damaged text.
    try fuzz([sample], as: "manifest") { path in
      let writer = try FileWriter(folder(Manifest.fileName))
      try writer.write(resealed(try Files.read(path)))
      try writer.close()
      _ = try Manifest(of: folder.path)
    }
  }

  /// A manifest with the right digest in its last line.
  private func resealed(_ bytes: [UInt8]) -> [UInt8] {
    let closing = Array(#"  "digest": ""#.utf8)
    let start = bytes.lastIndex(of: UInt8(ascii: ",")).map { Array(bytes[...$0]) + [UInt8(ascii: "\n")] } ?? bytes
    return start + closing + Array(SHA256.hex(of: start).utf8) + Array("\"\n}\n".utf8)
  }
}
