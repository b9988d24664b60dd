import Artifacts
import Diagnostics
import Files
import TestSupport
import Testing

@Suite struct ArtifactTests {
  let folder: TemporaryFolder
  let artifact: Artifact

  init() throws {
    folder = try TemporaryFolder()
    artifact = try ArtifactSample.build(folder("out"))
  }

  private func failure(kind: ArtifactKind? = nil, check: Artifact.Check = .sizes) throws -> Failure {
    try #require(throws: Failure.self) { try Artifact.open(folder("out"), kind: kind, check: check) }
  }

  @Test func `a missing folder and one that is not an artifact have different errors`() throws {
    let missing = #expect(throws: Failure.self) { try Artifact.open(folder("nowhere")) }
    #expect(missing?.status == .missingInput)
    try Files.makeFolder(folder("plain"))
    let plain = #expect(throws: Failure.self) { try Artifact.open(folder("plain")) }
    #expect(plain?.status == .badData)
    #expect(plain?.message.contains("is not an artifact") == true)
  }

  @Test func `an artifact of another kind is refused with both kinds named`() throws {
    #expect(
      try failure(kind: .model).message == "is an artifact of kind 'tempnet'; one of kind 'model' is needed")
  }

  @Test func `a missing file, a wrong size and wrong content are found`() throws {
    let path = folder("out/a/one.txt")
    try AtomicFile.write("two\n", to: path)
    _ = try Artifact.open(folder("out"))
    #expect(try failure(check: .digests).message.contains("SHA-256"))
    try AtomicFile.write("longer\n", to: path)
    #expect(try failure().description == "\(path): has 7 bytes where the manifest says 4")
    try Files.remove(path)
    #expect(try failure().description == "\(path): the artifact lacks this file")
  }

  @Test func `the builder returns the same artifact as opening it`() throws {
    #expect(try Artifact.open(folder("out"), kind: .tempnet, check: .digests).manifest == artifact.manifest)
  }

  @Test func `verify marks a damaged artifact, which is then refused until it is made anew`() throws {
    let path = folder("out/a/one.txt")
    #expect(try Artifact.verify(folder("out"), kind: .tempnet).key == artifact.key)
    try AtomicFile.write("two\n", to: path)
    let found = try #require(throws: Failure.self) { try Artifact.verify(folder("out")) }
    #expect(found.status == .badData && found.place == path)
    #expect(try failure() == Failure(.badData, "was found to be damaged: \(found)", at: folder("out")))
    #expect { try ArtifactSample.build(folder("out")) } throws: { ($0 as? Failure)?.status == .outputExists }
    try AtomicFile.write("one\n", to: path)
    #expect(throws: Failure.self) { try Artifact.open(folder("out")) }
    _ = try Artifact.verify(folder("out"))
    #expect(try Artifact.open(folder("out")).manifest == artifact.manifest)
    #expect(!Files.exists(folder("out/\(Artifact.damageMark)")))
  }
}
