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
  static let stages = ["tokens", "model", "features", "tempnet", "imported", "evaluation", "records", "bundle"]

  private let pipeline: TinyPipeline
  private let samples: Samples

  init() throws {
    pipeline = try TinyPipeline(.sample)
    samples = Samples("artifacts-v1", stages: Self.stages, folder: pipeline.folder)
  }

  /// A stage's program; for import, the recorded TempNet serves as a published one.
  private func command(_ stage: String) throws -> StageCommand {
    switch stage {
    case "imported":
      let settings = ["--input", "centred", "--tau-min", "0.1", "--tau-max", "3"]
      return StageCommand(
        program: .import, arguments: ["--weights", "tempnet/tempnet.safetensors"] + settings,
        folder: pipeline.folder.path)
    case "records":
      let settings = [
        "tasks=[choices.yaml]", "batch_tokens=4096", "nodes_per_octave=1", "hidden=false", "threads=1",
        "device=cpu", "compute=float32",
      ]
      return StageCommand(
        program: .score,
        arguments: ["--model", "model", "--tokens", "tokens"] + settings.flatMap { ["--set", $0] },
        folder: pipeline.folder.path)
    default: return try pipeline.command(stage)
    }
  }

  @Test(arguments: stages)
  func `a stage makes the recorded results from recorded inputs`(stage: String) async throws {
    try await samples.check(stage, command(stage))
  }

  @Test func `features of format version 1 are fitted as those of version 2`() async throws {
    try Files.link(pipeline.folder("features"), to: "\(Files.folder(of: #filePath))/Fixtures/features-v1")
    _ = try await command("tempnet").finish("of-version-1")
    let (made, recorded) = try (
      Artifact.open(pipeline.folder("of-version-1")), Artifact.open(samples.path("tempnet"))
    )
    #expect(try Artifact.open(pipeline.folder("features")).manifest.formatVersion == 1)
    #expect(made.manifest.summary.differences(from: recorded.manifest.summary, within: 1e-4) == [])
    #expect(made.key != recorded.key)
  }

  @Test(.enabled(if: Samples.areRecorded)) func recordSamples() async throws {
    try await samples.record(command)
  }
}

/// The same of the stages that work on pictures and captions.
@Suite(.serialized) struct PairSampleTests {
  static let stages = ["pairs", "raw", "model", "joint", "features", "tempnet", "retrieval"]

  private let pipeline: TinyPipeline
  private let samples: Samples

  init() throws {
    pipeline = try TinyPipeline.pairs()
    samples = Samples("pairs-v1", stages: Self.stages, folder: pipeline.folder)
  }

  @Test(arguments: stages)
  func `a stage makes the recorded results from recorded inputs`(stage: String) async throws {
    try await samples.check(stage, pipeline.command(stage))
  }

  @Test(.enabled(if: Samples.areRecorded)) func recordPairSamples() async throws {
    try await samples.record(pipeline.command)
  }
}

/// Recorded results of a pipeline's stages, in a folder of the fixtures.
private struct Samples {
  static let areRecorded = inheritedEnvironment["TEMPNET_RECORD"] != nil

  let folder: TemporaryFolder
  /// In an order in which they can run.
  let stages: [String]
  private let root: String

  init(_ name: String, stages: [String], folder: TemporaryFolder) {
    (self.stages, self.folder) = (stages, folder)
    root = "\(Files.folder(of: #filePath))/Fixtures/\(name)"
  }

  func path(_ stage: String) -> String { "\(root)/\(stage)" }

  /// Runs a stage on recorded inputs and compares the result with the recorded one.
  func check(_ stage: String, _ command: StageCommand) async throws {
    for input in stages { try Files.link(folder(input), to: path(input)) }
    _ = try await command.finish("again")
    let (made, recorded) = try (Artifact.open(folder("again")), Artifact.open(path(stage), check: .digests))
    let advice: Comment = "raise the stage's version, and record the samples anew (see Fixtures/README.md)"
    #expect(made.manifest.producer.stageVersion == recorded.manifest.producer.stageVersion, advice)
    #expect(made.manifest.formatVersion == recorded.manifest.formatVersion, advice)
    #expect(made.key == recorded.key, advice)
    #expect(made.manifest.files.map(\.path) == recorded.manifest.files.map(\.path), advice)
    #expect(made.manifest.summary.differences(from: recorded.manifest.summary, within: 1e-4) == [], advice)
    // Only arithmetic may differ between machines.
    if ["tokens", "pairs"].contains(stage) { #expect(made.manifest.files == recorded.manifest.files, advice) }
  }

  func record(_ command: (String) throws -> StageCommand) async throws {
    try Files.makeFolder(root)
    for stage in stages {
      _ = try await command(stage).finish(stage)
      try? FileManager.default.removeItem(atPath: path(stage))
      try FileManager.default.copyItem(atPath: folder(stage), toPath: path(stage))
    }
  }
}

extension JSON {
  /// The places where numbers differ by more than a relative tolerance, or other values differ at all. The share of a gap
  /// that is a thousandth wide multiplies rounding by a thousand, and the losses that it is made of are compared as well.
  fileprivate func differences(from other: JSON, within tolerance: Double) -> [JSONDifference] {
    differences(from: other).filter { difference in
      if difference.path.hasSuffix("gap_closed") { return false }
      guard let old = difference.old?.doubleValue, let new = difference.new?.doubleValue else { return true }
      return abs(new - old) > tolerance * max(1, abs(old))
    }
  }
}
