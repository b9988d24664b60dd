import Artifacts
import Files
import JSON

/// The artifact of `Fixtures/artifact-v1`, made by the builder.
enum ArtifactSample {
  static let identity = StageIdentity(
    program: "tempnet-fit", stage: "fit", stageVersion: 3, kind: .tempnet,
    configuration: ["rho": 6.5, "entropy": "auto", "layers": [1, 2], "name": "Émma \"\n"],
    inputs: [
      InputReference(name: "features", kind: "features", key: SHA256.hex(of: "features")),
      InputReference(name: "corpus", kind: "file", key: SHA256.hex(of: "corpus")),
    ],
    resolution: ["device": "cpu", "threads": 2])
  static let summary: JSON = ["loss": 1.25, "steps": 200]
  static let files = ["b.bin": "\u{0}\u{1}\u{2}", "a/one.txt": "one\n", "empty": ""]

  static func build(_ output: String, _ identity: StageIdentity = identity) throws -> Artifact {
    let builder = try ArtifactBuilder(output: output, identity: identity)
    return try finish(builder)
  }

  static func finish(_ builder: ArtifactBuilder) throws -> Artifact {
    if let artifact = builder.alreadyDone { return artifact }
    for (name, content) in files {
      let writer = try FileWriter(try builder.path(for: name))
      try writer.write(content)
      try writer.close()
    }
    return try builder.publish(summary: summary)
  }
}
