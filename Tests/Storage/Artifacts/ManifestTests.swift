import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@Suite struct ManifestTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var sample: String { "\(Files.folder(of: #filePath))/Fixtures/artifact-v1" }

  /// The failure to open an artifact whose manifest has that text.
  private func failure(_ manifest: some Sequence<UInt8>) throws -> Failure {
    let writer = try FileWriter(folder("artifact.json"))
    try writer.write(manifest)
    try writer.close()
    return try #require(throws: Failure.self) { try Artifact.open(folder.path) }
  }

  @Test func `the sample of version 1 is still read`() throws {
    let artifact = try Artifact.open(sample, kind: .tempnet, check: .digests)
    let manifest = artifact.manifest
    #expect(manifest.kind == "tempnet")
    #expect(manifest.formatVersion == 1)
    #expect(manifest.producer.program == "tempnet-fit")
    #expect(manifest.producer.version == "0.1.0")
    #expect(manifest.producer.stage == "fit")
    #expect(manifest.producer.stageVersion == 3)
    #expect(manifest.configuration == ArtifactSample.identity.configuration)
    #expect(manifest.resolution == ArtifactSample.identity.resolution)
    #expect(manifest.inputs == ArtifactSample.identity.inputs)
    #expect(manifest.files.map(\.path) == ["a/one.txt", "b.bin", "empty"])
    #expect(manifest.files.map(\.size) == [4, 3, 0])
    #expect(manifest.summary == ArtifactSample.summary)
    #expect(try artifact.file("a/one.txt") == "\(sample)/a/one.txt")
    #expect(throws: Failure.self) { try artifact.file("artifact.json") }
  }

  @Test func `the key of version 1 does not change`() throws {
    #expect(ArtifactSample.identity.key == "27c4049af5f3d082d801e62c19d0af30018100149aab7178c292c9f69991cc84")
    #expect(try Artifact.open(sample).key == ArtifactSample.identity.key)
  }

  @Test func `the sample of version 1 is written back byte by byte`() throws {
    #expect(try Manifest(of: sample).text == text("\(sample)/artifact.json"))
  }

  @Test func `a manifest cut anywhere is refused`() throws {
    let bytes = try Files.read("\(sample)/artifact.json")
    for length in 0..<bytes.count { #expect(try failure(bytes[..<length]).status == .badData) }
  }

  @Test func `a manifest with any byte changed is refused`() throws {
    let bytes = try Files.read("\(sample)/artifact.json")
    for index in bytes.indices {
      for mask: UInt8 in [0x01, 0x20, 0x80] {
        var garbled = bytes
        garbled[index] ^= mask
        #expect(try failure(garbled).status == .badData, "byte \(index)")
      }
    }
  }

  @Test(arguments: [
    ("\"schemaVersion\": 1", "\"schemaVersion\": 2", "manifest format 2 is too new"),
    ("\"schemaVersion\": 1", "\"schemaVersion\": 0", "manifest format 0 is too old"),
    ("\"formatVersion\": 1", "\"formatVersion\": 2", "tempnet format 2 is too new"),
    ("\"formatVersion\": 1", "\"formatVersion\": 0", "tempnet format 0 is too old"),
  ])
  func `versions are checked first, and too old differs from too new`(
    old: String, new: String, message: String
  ) throws {
    let changed = try text("\(sample)/artifact.json").replacing(old, with: new)
    #expect(try failure(changed.utf8).message.hasPrefix(message))
  }

  @Test func `file names that lead out of the artifact are refused even with a valid digest`() throws {
    for name in ["../b.bin", "/etc/passwd", "artifact.json", "", "a//b"] {
      var manifest = try Manifest(of: sample)
      manifest.files.removeLast(2)
      manifest.files[0].path = name
      #expect(try failure(manifest.text.utf8).message.contains("'\(name)'"))
    }
  }

  @Test func `a file given twice is refused`() throws {
    var manifest = try Manifest(of: sample)
    manifest.files.append(manifest.files[2])
    #expect(try failure(manifest.text.utf8).message.contains("not sorted"))
  }

  @Test func `the key depends on everything the result depends on and on nothing else`() {
    let identity = ArtifactSample.identity
    func changed(_ change: (inout StageIdentity) -> Void) -> Bool {
      var other = identity
      change(&other)
      return other.key != identity.key
    }
    #expect(changed { $0.stage = "other" })
    #expect(changed { $0.stageVersion += 1 })
    #expect(changed { $0.kind = .model })
    #expect(changed { $0.configuration["rho"] = 7.0 })
    #expect(changed { $0.inputs.swapAt(0, 1) })
    #expect(changed { $0.inputs.removeLast() })
    #expect(!changed { $0.resolution = ["device": "cuda"] })
    #expect(!changed { $0.program = "another" })
    #expect(!changed { $0.configuration["rho"] = $0.configuration["rho"] })
  }
}
