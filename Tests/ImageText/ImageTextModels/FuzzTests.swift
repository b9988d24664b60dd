import Artifacts
import EncoderDescriptions
import Files
import TestSupport
import Testing
import Torch

@testable import ImageTextModels

/// Damaged files of embeddings, dual encoders and frozen towers. The digests of artifacts would refuse them first, so the
/// artifacts are opened before the damage.
@Suite(.serialized, .enabled(if: slowTestsEnabled)) struct FuzzTests {
  /// Puts damaged forms of a file in its place.
  private static func fuzz(_ path: String, _ read: () throws -> Void) throws {
    try TestSupport.fuzz([Files.read(path)], as: Files.name(of: path)) { damaged in
      try Files.link(path, to: damaged)
      try withoutGradients { try read() }
    }
  }

  @Test(arguments: [EmbeddingsArtifact.file, EmbeddingsArtifact.descriptionFile]) func embeddings(_ name: String) throws
  {
    let folder = try TemporaryFolder()
    let artifact = try EmbeddingsArtifactTests.artifact(at: folder("embeddings"))
    try Self.fuzz(artifact.file(name)) {
      let embeddings = try EmbeddingsArtifact(artifact)
      _ = try embeddings.imageCopies()
      _ = embeddings.description.prompts?.sentences
    }
  }

  @Test(arguments: [DualEncoder.weightsFile, DualEncoder.configurationFile]) func heads(_ name: String) throws {
    let folder = try TemporaryFolder()
    let artifact = try DualEncoderTests.saved(DualEncoderTests.encoder(), at: folder("encoder"))
    try Self.fuzz(artifact.file(name)) { _ = try DualEncoder.read(artifact).scale }
  }

  @Test(arguments: [DualEncoder.weightsFile, DualEncoder.configurationFile, DualEncoder.tokenizerFile])
  func `own towers`(_ name: String) throws {
    let folder = try TemporaryFolder()
    let artifact = try DualEncoderTests.saved(OwnTowersTests.encoder(), at: folder("encoder"))
    try Self.fuzz(artifact.file(name)) {
      let encoder = try DualEncoder.read(artifact)
      _ = encoder.scale
      guard let ids = encoder.captionTokenizer?.encode("a picture of <|endoftext|> number 7 é 🙂"),
        let end = ids.last, ids.count <= encoder.captionTokenizer!.context, ids.allSatisfy({ 0...end ~= $0 })
      else { throw OtherIds() }
    }
  }

  private struct OtherIds: Error {}

  @Test(arguments: ["config.json", "model.safetensors"]) func `towers of pictures`(_ name: String) throws {
    let folder = try Self.copy("efficientnet")
    try Self.fuzz(folder(name)) { _ = try FrozenImageTower(folder.path, size: 32, device: .cpu) }
  }

  @Test(arguments: ["config.json", "model.safetensors", "tokenizer.json"]) func `towers of texts`(_ name: String) throws
  {
    let folder = try Self.copy("sentences")
    try Self.fuzz(folder(name)) {
      let tower = try FrozenTextTower(folder.path, limit: nil, device: .cpu, computeType: .float32)
      _ = tower.tokens(of: "a picture of [SEP] number 7 é 🙂")
    }
  }

  private static func copy(_ fixtures: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["config.json", "model.safetensors", "tokenizer.json"]
    where Files.exists(fixture("\(fixtures)/\(name)")) {
      try AtomicFile.write(Files.read(fixture("\(fixtures)/\(name)")), to: folder(name))
    }
    return folder
  }
}
