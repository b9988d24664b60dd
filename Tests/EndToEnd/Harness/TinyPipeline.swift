import TestSupport

/// A whole pipeline, from text to bundle, that takes seconds.
struct TinyPipeline {
  struct Stage {
    let name: String
    let program: Program
    /// Input and the stage that makes it.
    let inputs: [(String, String)]
    /// YAML.
    var configuration: String
  }

  let folder: TemporaryFolder
  var stages = [
    Stage(
      name: "tokens", program: .tokenize, inputs: [],
      configuration: "{corpus: [text.txt], vocabulary: 380, validation: 0.1, test: 0.1}"),
    Stage(name: "model", program: .pretrain, inputs: [("tokens", "tokens")], configuration: "{}"),
    Stage(
      name: "features", program: .features, inputs: [("model", "model"), ("tokens", "tokens")], configuration: "{}"),
    Stage(name: "tempnet", program: .fit, inputs: [("features", "features")], configuration: "{}"),
    Stage(
      name: "evaluation", program: .evaluate,
      inputs: [("model", "model"), ("tokens", "tokens"), ("tempnet", "tempnet")], configuration: "{}"),
    Stage(
      name: "bundle", program: .export, inputs: [("tempnet", "tempnet"), ("evaluation", "evaluation")],
      configuration: "{format: bundle}"),
  ]

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(corpus(sentences: 1500), to: "text.txt")
  }

  /// Writes the pipeline's file, for `tempnet-run`.
  func writeFile() throws {
    let lines = stages.map { stage in
      let inputs = stage.inputs.map { "\($0): \($1)" }.joined(separator: ", ")
      let run = stage.program.name.dropFirst("tempnet-".count)
      return "  \(stage.name): {run: \(run), from: {\(inputs)}, cores: 1, with: \(stage.configuration)}\n"
    }
    try folder.write("pipeline: tiny\nstages:\n\(lines.joined())", to: "tiny.yaml")
  }

  /// Runs a stage's program by hand; its inputs lie in folders named after the stages.
  func command(_ name: String) throws -> StageCommand {
    guard let stage = stages.first(where: { $0.name == name }) else { preconditionFailure("no stage \(name)") }
    let file = try folder.write(stage.configuration, to: "\(name).yaml")
    return StageCommand(
      program: stage.program,
      arguments: stage.inputs.flatMap { ["--\($0)", $1] } + ["--config", file, "--set", "threads=1"],
      folder: folder.path)
  }

  /// Makes what a stage reads.
  func makeInputs(of name: String) async throws {
    for stage in stages.prefix(while: { $0.name != name }) { _ = try await command(stage.name).finish(stage.name) }
  }

  func run(_ arguments: [String] = [], store: String = "store") async throws -> Outcome {
    try await Program.run(runArguments(arguments, store: store), in: folder.path)
  }

  func start(store: String = "store") throws -> RunningProgram {
    try Program.run.start(runArguments([], store: store), in: folder.path)
  }

  private func runArguments(_ arguments: [String], store: String) -> [String] {
    ["tiny.yaml", "--store", store] + arguments
  }

  /// What a stage left in a store.
  func result(_ stage: String, store: String = "store") throws -> ArtifactContent {
    try ArtifactContent(folder("\(store)/latest/tiny/\(stage)"))
  }

  func results(store: String = "store") throws -> [String: ArtifactContent] {
    Dictionary(uniqueKeysWithValues: try stages.map { ($0.name, try result($0.name, store: store)) })
  }
}

extension TinyPipeline {
  /// The stages that save checkpoints while they work.
  static let stagesWithCheckpoints = ["model", "features", "tempnet"]

  /// Gives those stages work for some seconds and many checkpoints.
  mutating func prolong() {}
}
