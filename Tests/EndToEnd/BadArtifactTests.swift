import Artifacts
import Files
import TestSupport
import Testing

/// Artifacts that do not suit a stage, and settings that do not suit the artifacts.
@Suite(.serialized, .enabled(if: slowTestsEnabled), UndisturbedPipeline(.tiny)) struct BadArtifactTests {
  private let pipeline: TinyPipeline

  init() throws { pipeline = try #require(UndisturbedPipeline.made).pipeline }

  /// Runs a stage's program on other inputs or with other settings, and expects its end.
  private func expect(
    _ status: Int32, _ words: String, _ stage: String, set settings: [String] = [], inputs: [String: String] = [:],
    more: [String] = []
  ) async throws {
    let command = try pipeline.command(stage)
    var arguments = command.arguments
    for (name, path) in inputs {
      let index = try #require(arguments.firstIndex(of: "--\(name)"))
      arguments[index + 1] = path
    }
    let outcome = try await command.program(
      arguments + settings.flatMap { ["--set", $0] } + more + ["--output", "refused"], in: pipeline.folder.path)
    #expect(outcome.end == .exited(status), "\(outcome)")
    #expect(outcome.errors.contains(words) && outcome.output.isEmpty, "\(outcome)")
    for left in ["", ".partial", ".lock"] { #expect(!Files.exists(pipeline.folder("refused\(left)"))) }
  }

  /// A copy of the tokens that is damaged in some way.
  private func tokens(_ name: String, _ damage: (String) throws -> Void) throws -> String {
    for (file, content) in try contents(pipeline.folder("tokens")) {
      try Files.makeFolder(pipeline.folder(name))
      try AtomicFile.write(content, to: pipeline.folder("\(name)/\(file)"))
    }
    try damage(pipeline.folder(name))
    return name
  }

  private func manifest(_ name: String, _ old: String, _ new: String) throws -> String {
    try tokens(name) { folder in
      let path = "\(folder)/\(Manifest.fileName)"
      try AtomicFile.write(try text(path).replacing(old, with: new), to: path)
    }
  }

  @Test func `manifests of older and newer versions have different errors, and damage is named`() async throws {
    let newer = try manifest("newer", #""schemaVersion": 1"#, #""schemaVersion": 2"#)
    try await expect(65, "newer/artifact.json: manifest format 2 is too new", "model", inputs: ["tokens": newer])
    let older = try manifest("older", #""schemaVersion": 1"#, #""schemaVersion": 0"#)
    try await expect(65, "older/artifact.json: manifest format 0 is too old", "model", inputs: ["tokens": older])
    let later = try manifest("later", #""formatVersion": 1"#, #""formatVersion": 2"#)
    try await expect(65, "later/artifact.json: tokens format 2 is too new", "model", inputs: ["tokens": later])
    let edited = try manifest("edited", #""vocabulary": 380"#, #""vocabulary": 381"#)
    try await expect(65, "edited/artifact.json: was changed after it was written", "model", inputs: ["tokens": edited])
    let lacking = try tokens("lacking") { try Files.remove("\($0)/train.documents") }
    try await expect(65, "lacking/train.documents: the artifact lacks this", "model", inputs: ["tokens": lacking])
    let longer = try tokens("longer") { folder in
      try AtomicFile.write(try Files.read("\(folder)/train.documents") + [0], to: "\(folder)/train.documents")
    }
    try await expect(65, "longer/train.documents: has ", "model", inputs: ["tokens": longer])
    let wild = try tokens("wild") { folder in
      let path = "\(folder)/train-00000.tokens"
      let bytes = try Files.read(path)
      try AtomicFile.write(bytes.prefix(32) + [UInt8](repeating: 0xFF, count: bytes.count - 32), to: path)
    }
    try await expect(65, "wild/train-00000.tokens: has the SHA-256 ", "model", inputs: ["tokens": wild])
    try await expect(66, "nowhere: there is no such artifact", "model", inputs: ["tokens": "nowhere"])
    try await expect(65, "is an artifact of kind 'model'", "model", inputs: ["tokens": "model"])
  }

  @Test func `every stage refuses inputs that do not belong together`() async throws {
    let made = try await Program.tokenize(
      ["--corpus", "text.txt", "--vocabulary", "300", "--output", "other"], in: pipeline.folder.path)
    try #require(made.end == .exited(0), "\(made)")
    for stage in ["features", "evaluation"] {
      try await expect(65, "another tokenizer", stage, inputs: ["tokens": "other"])
    }
    let words = "features: holds no TempNet: no file tempnet.safetensors; it is an artifact of kind 'features'"
    try await expect(65, words, "evaluation", more: ["--policy", "mine=features"])
    try await expect(78, "window is 33, but the model's context is 32", "features", set: ["window=33"])
    try await expect(78, "stride is 33, but the model reads no more than 32", "evaluation", set: ["stride=33"])
    try await expect(65, "a window of 90000 needs 90001", "model", set: ["context=90000"])
  }

  @Test func `the error of an impossible budget or entropy gives the possible range`() async throws {
    let (rho, entropy) = ("at least 0 and below ln 380 = 5.9402", "above 0 and at most ln 380 = 5.9402")
    try await expect(78, rho, "evaluation", set: ["rho=7"])
    try await expect(78, entropy, "evaluation", set: ["entropy=7"])
    try await expect(78, entropy, "model", set: ["entropy=7"])
    try await expect(78, entropy, "tempnet", set: ["entropy=7"])
  }

  @Test(.enabled(if: !Files.exists("/dev/nvidia0"))) func `a request for an absent GPU ends with 69`()
    async throws
  {
    for stage in ["model", "features", "tempnet", "evaluation"] {
      try await expect(69, "device: cuda: no GPU can be used", stage, set: ["device=cuda"])
    }
  }
}
