import TestSupport

/// A whole pipeline, from text to bundle, that takes seconds.
struct TinyPipeline: Sendable {
  struct Stage: Sendable {
    let name: String
    let program: Program
    /// Inputs, and the stages that make them.
    let inputs: [(String, String)]
    /// YAML.
    let configuration: String
  }

  /// The amount of work.
  struct Size {
    var sentences: Int
    var trainingSteps: Int
    var featureBatch: Int
    /// The most tokens of either split.
    var featureTokens = 1 << 18
    var epochs: Int
    /// Tokens per forward pass.
    var evaluationBatch: Int
    var taskItems = 4

    /// Small enough for a fixture.
    static let sample = Size(
      sentences: 240, trainingSteps: 8, featureBatch: 8, featureTokens: 128, epochs: 1, evaluationBatch: 4096)
    /// The least that passes through every stage.
    static let tiny = Size(sentences: 600, trainingSteps: 8, featureBatch: 8, epochs: 1, evaluationBatch: 4096)
    static let small = Size(
      sentences: 1500, trainingSteps: 40, featureBatch: 8, epochs: 2, evaluationBatch: 4096, taskItems: 100)
    /// Enough for several seconds, and many checkpoints of every stage with checkpoints.
    static let long = Size(
      sentences: 4000, trainingSteps: 3000, featureBatch: 1, epochs: 20, evaluationBatch: 32, taskItems: 300)
  }

  let folder: TemporaryFolder
  let stages: [Stage]

  /// A pipeline whose files are in the folder already.
  init(_ stages: [Stage], in folder: TemporaryFolder) { (self.stages, self.folder) = (stages, folder) }

  init(_ size: Size = .small) throws {
    folder = try TemporaryFolder()
    try folder.write(corpus(sentences: size.sentences), to: "text.txt")
    stages = Self.stages(size)
    try folder.write(choices(size.taskItems), to: "choices.jsonl")
    try folder.write("task: piqa\nname: choices\ndata: choices.jsonl\n", to: "choices.yaml")
    try writeFile()
  }

  private static func stages(_ size: Size) -> [Stage] {
    let compute = "device: cpu, compute: float32"
    return [
      Stage(
        name: "tokens", program: .tokenize, inputs: [],
        configuration: "{corpus: [text.txt], vocabulary: 380, validation: 0.1, test: 0.1}"),
      Stage(
        name: "model", program: .pretrain, inputs: [("tokens", "tokens")],
        configuration: """
          {objective: robust, entropy: 2, context: 32, batch: 4, steps: \(size.trainingSteps), validation_interval: \
          \(size.trainingSteps / 2), checkpoint_interval: \(max(1, size.trainingSteps / 20)), log_interval: 10, \
          model: {layers: 1, width: 32, heads: 2}, tempnet: {hidden: 16}, \(compute)}
          """),
      Stage(
        name: "features", program: .features, inputs: [("model", "model"), ("tokens", "tokens")],
        configuration: """
          {train_tokens: \(size.featureTokens), validation_tokens: \(size.featureTokens), batch: \(size.featureBatch), \
          checkpoint_interval: 4, \(compute)}
          """),
      Stage(
        name: "tempnet", program: .fit, inputs: [("features", "features")],
        configuration: """
          {entropy: auto, hidden: 16, epochs: \(size.epochs), batch: 256, checkpoint_interval: 50, \(compute)}
          """),
      Stage(
        name: "evaluation", program: .evaluate,
        inputs: [("model", "model"), ("tokens", "tokens"), ("tempnet", "tempnet")],
        configuration: """
          {tasks: [choices.yaml], bootstrap: {resamples: 200}, batch_tokens: \(size.evaluationBatch), \
          checkpoint_seconds: 0, \(compute)}
          """),
      Stage(
        name: "bundle", program: .export, inputs: [("tempnet", "tempnet"), ("evaluation", "evaluation")],
        configuration: "{format: bundle}"),
    ]
  }

  /// Writes the pipeline's file, for `tempnet-run`.
  private func writeFile() throws {
    let lines = stages.map { stage in
      let inputs = stage.inputs.map { "\($0): \($1)" }.joined(separator: ", ")
      let run = stage.program.name.dropFirst("tempnet-".count)
      return "  \(stage.name): {run: \(run), from: {\(inputs)}, cores: 1, with: \(stage.configuration)}\n"
    }
    try folder.write("pipeline: tiny\nstages:\n\(lines.joined())", to: "tiny.yaml")
  }

  /// A stage's program without the runner; its inputs are in folders named after their stages.
  func command(_ name: String) throws -> StageCommand {
    guard let stage = stages.first(where: { $0.name == name }) else { preconditionFailure("no stage \(name)") }
    let file = try folder.write(stage.configuration, to: "\(name).yaml")
    // `cores: 1` in the pipeline; export computes nothing.
    let threads = name == "bundle" ? [] : ["--set", "threads=1"]
    return StageCommand(
      program: stage.program,
      arguments: stage.inputs.flatMap { ["--\($0)", $1] } + ["--config", file] + threads, folder: folder.path)
  }

  /// Runs all stages without the runner and returns their artifacts and durations.
  func runByHand() async throws -> (results: [String: ArtifactContent], durations: [String: Duration]) {
    var (results, durations): ([String: ArtifactContent], [String: Duration]) = ([:], [:])
    for stage in stages {
      let start = ContinuousClock.now
      results[stage.name] = try await command(stage.name).finish(stage.name)
      durations[stage.name] = ContinuousClock.now - start
    }
    return (results, durations)
  }

  func run(
    _ arguments: [String] = [], store: String = "store", environment: [String: String]? = nil
  ) async throws -> Outcome {
    try await Program.run(runArguments(arguments, store: store), in: folder.path, environment: environment)
  }

  func start(store: String = "store", environment: [String: String]? = nil) throws -> RunningProgram {
    try Program.run.start(runArguments([], store: store), in: folder.path, environment: environment)
  }

  /// Another command of the runner, such as `verify`.
  func inspect(_ command: String, _ arguments: [String] = [], store: String = "store") async throws -> Outcome {
    try await Program.run([command, "tiny.yaml", "--store", store] + arguments, in: folder.path)
  }

  private func runArguments(_ arguments: [String], store: String) -> [String] {
    ["tiny.yaml", "--store", store] + arguments
  }

  /// The result of a stage in a store.
  func result(_ stage: String, store: String = "store") throws -> ArtifactContent {
    try ArtifactContent(folder("\(store)/latest/tiny/\(stage)"))
  }

  func results(store: String = "store") throws -> [String: ArtifactContent] {
    Dictionary(uniqueKeysWithValues: try stages.map { ($0.name, try result($0.name, store: store)) })
  }
}
