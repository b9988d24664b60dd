import Artifacts
import Files
import Foundation
import JSON
import TestSupport
import Testing

/// Results of every stage by an earlier release. They stay readable, and a stage with the same version makes equal
/// results from them: otherwise a store would have results under a key that no longer describes
/// them.
@Suite(.serialized) struct SampleTests {
  private static let samples = "\(Files.folder(of: #filePath))/Fixtures/artifacts-v1"
  private static let stages = ["tokens", "model", "features", "tempnet", "imported", "evaluation", "bundle"]

  private let pipeline: TinyPipeline

  init() throws { pipeline = try TinyPipeline(.sample) }

  /// A stage's program; for import, the recorded TempNet serves as a published one.
  private func command(_ stage: String) throws -> StageCommand {
    guard stage == "imported" else { return try pipeline.command(stage) }
    let settings = ["--input", "centred", "--tau-min", "0.1", "--tau-max", "3"]
    return StageCommand(
      program: .import, arguments: ["--weights", "tempnet/tempnet.safetensors"] + settings,
      folder: pipeline.folder.path)
  }

  @Test(arguments: stages)
  func `a stage makes the recorded results from recorded inputs`(stage: String) async throws {
    for input in Self.stages { try Files.link(pipeline.folder(input), to: "\(Self.samples)/\(input)") }
    _ = try await command(stage).finish("again")
    let (made, recorded) = try (
      Artifact.open(pipeline.folder("again")), Artifact.open("\(Self.samples)/\(stage)", check: .digests)
    )
    let advice: Comment = "raise the stage's version, and record the samples anew (see Fixtures/README.md)"
    #expect(made.manifest.producer.stageVersion == recorded.manifest.producer.stageVersion, advice)
    #expect(made.manifest.formatVersion == recorded.manifest.formatVersion, advice)
    #expect(made.key == recorded.key, advice)
    #expect(made.manifest.files.map(\.path) == recorded.manifest.files.map(\.path), advice)
    #expect(made.manifest.summary.differences(from: recorded.manifest.summary, within: 1e-4) == [], advice)
    // Only arithmetic may differ between machines.
    if stage == "tokens" { #expect(made.manifest.files == recorded.manifest.files, advice) }
  }

  @Test func `features of format version 1 are fitted as those of version 2`() async throws {
    try Files.link(pipeline.folder("features"), to: "\(Files.folder(of: #filePath))/Fixtures/features-v1")
    _ = try await command("tempnet").finish("of-version-1")
    let (made, recorded) = try (
      Artifact.open(pipeline.folder("of-version-1")), Artifact.open("\(Self.samples)/tempnet")
    )
    #expect(try Artifact.open(pipeline.folder("features")).manifest.formatVersion == 1)
    #expect(made.manifest.summary.differences(from: recorded.manifest.summary, within: 1e-4) == [])
    #expect(made.key != recorded.key)
  }

  @Test(.enabled(if: inheritedEnvironment["TEMPNET_RECORD"] != nil)) func recordSamples() async throws {
    _ = try await pipeline.runByHand()
    _ = try await command("imported").finish("imported")
    for stage in Self.stages {
      try? FileManager.default.removeItem(atPath: "\(Self.samples)/\(stage)")
      try Files.makeFolder(Self.samples)
      try FileManager.default.copyItem(atPath: pipeline.folder(stage), toPath: "\(Self.samples)/\(stage)")
    }
  }
}

extension JSON {
  /// The places where numbers differ by more than a relative tolerance, or other values differ at all.
  fileprivate func differences(from other: JSON, within tolerance: Double) -> [JSONDifference] {
    differences(from: other).filter { difference in
      guard let old = difference.old?.doubleValue, let new = difference.new?.doubleValue else { return true }
      return abs(new - old) > tolerance * max(1, abs(old))
    }
  }
}
