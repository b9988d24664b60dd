import Artifacts
import Diagnostics
import LanguageEvaluation
import ScoreStage
import StageDescriptions
import TempNet
import TemperatureSettings
import TokenWindows
import Tokenization
import Torch

/// A model as an evaluation sees it: its records, computed while they are read, or from an artifact.
struct Subject {
  private enum Source {
    case model(ModelScoring, ScoredText, [(task: ScoredTask, passes: (TokenRecorder) -> TaskPasses)])
    case records(RecordsArtifact)
  }

  let vocabulary: Int
  let width: Int
  /// The file of the TempNet that was trained with the model.
  let ownTempNet: String?
  /// The file of the model's losses in training.
  let history: String?
  /// Nil where the records' tokens were not given.
  let tokens: TokensArtifact?
  /// The unembedding; nil for records without hidden states.
  let head: (weight: Tensor, bias: Tensor?)?
  private let source: Source

  /// A model that is scored now.
  init(_ scoring: ModelScoring, _ configuration: EvaluateConfiguration, tasks: Bool) throws {
    (vocabulary, width) = (scoring.vocabulary, scoring.model.configuration.width)
    (ownTempNet, history, tokens) = (try scoring.ownTempNet, try scoring.history, scoring.tokens)
    head = (scoring.head, nil)
    source = .model(
      scoring, configuration.text,
      tasks ? try scoring.tasks(configuration.tasks, batchTokens: configuration.text.batchTokens) : [])
  }

  init(_ records: RecordsArtifact, tokens: TokensArtifact?, device: Device) throws {
    (vocabulary, width) = (records.description.vocabulary, records.description.width)
    (ownTempNet, history) = (try records.ownTempNet, try records.history)
    self.tokens = tokens
    head = try records.head(on: device).map { ($0.weight, $0.bias) }
    source = .records(records)
  }

  /// The TempNet that was trained with the model, where its records can answer it.
  func ownNetwork(device: Device) throws -> TemperatureNetwork? {
    guard head != nil else { return nil }
    return try ownTempNet.map { try .load($0, vocabulary: vocabulary, width: width, device: device) }
  }

  /// The records, for temperatures within bounds.
  ///
  /// - Throws: `.badConfiguration` where the text cannot be read so.
  func measured(for bounds: ClosedRange<Double>) throws -> Measured {
    switch source {
    case .records(let records):
      return Measured(
        description: records.description, validation: records.validation, test: records.test, tasks: records.tasks)
    case .model(let scoring, let text, let tasks):
      let (usual, nodes) = (ScoreConfiguration.defaultBounds, ScoreConfiguration.defaultNodesPerOctave)
      let bounds = min(bounds.lowerBound, usual.lowerBound)...max(bounds.upperBound, usual.upperBound)
      let recorder = scoring.recorder(RecordGrid.grid(for: bounds, nodesPerOctave: nodes))
      let test = try scoring.text(.test, text, recorder)
      return Measured(
        description: try scoring.description(
          test.windows, bounds: bounds, nodesPerOctave: nodes, hasHidden: true),
        validation: try scoring.text(.validation, text, sample: text.validationTokens, recorder), test: test,
        tasks: tasks.map { ($0.task, $0.passes(recorder)) })
    }
  }
}

/// The records of a model.
struct Measured {
  let description: RecordsDescription
  let validation: any RecordPasses
  let test: any TextRecordPasses
  let tasks: [(task: ScoredTask, passes: any TaskRecordPasses)]
}

/// The models of an evaluation: the one whose policies are measured, and others to compare it with.
struct Subjects {
  let main: Subject
  let baselines: [Subject]

  init(_ request: StageRequest<Evaluate>, _ resolution: Resolution) throws {
    let (inputs, configuration) = (request.inputs, request.configuration)
    let tokens = try inputs.optionalArtifact("tokens").map(TokensArtifact.init)
    let records = try inputs.artifacts("records").map { artifact in
      try Subject(RecordsArtifact(artifact, device: resolution.device), tokens: tokens, device: resolution.device)
    }
    if let first = records.first {
      (main, baselines) = (first, Array(records.dropFirst()))
      return
    }
    main = try Subject(
      ModelScoring(inputs.model("model"), tokens!, resolution), configuration, tasks: true)
    baselines = try inputs.models("baseline").map {
      try Subject(ModelScoring($0, tokens!, resolution), configuration, tasks: false)
    }
  }

  /// The records of all models, over the same tokens.
  ///
  /// - Throws: `.badData` where the records are of other tokens.
  func measured(for bounds: ClosedRange<Double>) throws -> (main: Measured, baselines: [Measured]) {
    let measured = try main.measured(for: bounds)
    let others = try baselines.map { try $0.measured(for: bounds) }
    for (number, other) in zip(2..., others) where other.description.labelDigest != measured.description.labelDigest {
      throw Failure(
        .badData, "model \(number) was scored on other tokens than the first one; score both on the same", at: "records"
      )
    }
    return (measured, others)
  }
}
