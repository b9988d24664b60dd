import Artifacts
import Diagnostics
import LanguageEvaluation
import StageDescriptions
import Tasks
import TempNet
import Tokenization

/// The tasks of an evaluation. All are read and encoded before the model runs, so that faults in them are found at once.
struct TaskScoring {
  private struct Prepared {
    let task: ScoringTask
    let encoded: EncodedTask
    let plan: ScoringPlan
  }

  private let subject: Subject
  private let configuration: EvaluateConfiguration
  private let beginning: String
  private let tasks: [Prepared]

  init(_ configuration: EvaluateConfiguration, _ subject: Subject) throws {
    self.subject = subject
    self.configuration = configuration
    guard !configuration.tasks.isEmpty else {
      (beginning, tasks) = ("", [])
      return
    }
    let encoder = PairEncoder(try subject.loadTokenizer(), beginsTexts: configuration.taskBeginning.beginsTexts)
    beginning = encoder.description
    tasks = try TaskFile.read(configuration.tasks).map { file in
      let task = try ScoringTask(file, limit: configuration.taskLimit)
      let encoded = try EncodedTask(task, encoder, length: subject.model.configuration.context)
      try Self.checkDocuments(of: encoded, in: task, subject)
      let plan = ScoringPlan(
        encoded.sequences, configuration, constantLength: subject.model.configuration.rotaryScaling.constantLength)
      Log.note(Self.summary(task, encoded))
      return Prepared(task: task, encoded: encoded, plan: plan)
    }
  }

  /// Refuses texts of several documents for a model whose attention ends at its document: they would have to be scored
  /// document by document.
  private static func checkDocuments(of encoded: EncodedTask, in task: ScoringTask, _ subject: Subject) throws {
    guard subject.model.configuration.attention == .document else { return }
    let end = subject.tokens.endOfText
    if encoded.sequences.contains(where: { $0.inputs.dropFirst().contains(end) }) {
      throw Failure(
        .badData, "a text spells the token that closes documents; with attention 'document' that is not supported",
        at: task.name)
    }
  }

  private static func summary(_ task: ScoringTask, _ encoded: EncodedTask) -> String {
    let requests = encoded.ranges.reduce(0) { $0 + $1.count }
    let joins =
      encoded.mergedJoins == 0 ? "" : ", \(encoded.mergedJoins) with a token that reaches over the join"
    let truncated = encoded.truncated == 0 ? "" : ", \(encoded.truncated) with a context that is too long"
    return "\(task.name): \(counted(task.items.count, "item")), \(counted(requests, "request"))\(joins)\(truncated)"
  }

  /// Scores all tasks with all policies and writes `items-TASK.jsonl` for each.
  ///
  /// - Parameters:
  ///   - policies: their names.
  ///   - temperatures: what computes theirs, in the same order.
  func run(
    _ policies: [String], _ temperatures: FoldedPolicies, _ builder: ArtifactBuilder
  ) throws -> [TaskMetrics] {
    try tasks.map { prepared in
      let name = prepared.task.name
      let scores = try TaskPass(
        name: name, model: subject.model, policies: policies, temperatures: temperatures,
        sequences: prepared.encoded.sequences, plan: prepared.plan, endOfText: subject.tokens.endOfText,
        log: "\(builder.checkpointsPath)/task-\(name).jsonl",
        saveInterval: .seconds(configuration.checkpointSeconds)
      ).run()
      let result = taskScores(prepared, scores, policies)
      try ItemFile.write(prepared.task, result, to: builder.path(for: ItemFile.name(of: name)))
      let bootstrap = configuration.bootstrap
      return TaskMetrics(
        result, resamples: bootstrap.resamples, seed: UInt64(bootstrap.seed), confidence: bootstrap.confidence)
    }
  }

  private func taskScores(_ prepared: Prepared, _ scores: [SequenceScore], _ policies: [String]) -> TaskScores {
    let task = prepared.task
    return TaskScores(
      description: TaskScores.Description(
        name: task.name, version: task.version, prompts: task.prompts, dataDigest: task.dataDigest,
        beginning: beginning),
      policies: policies,
      items: zip(task.items, prepared.encoded.ranges).map { item, ranges in
        TaskScores.Item(
          answer: item.answer, requests: ranges.map { RequestScore(scores[$0], policies: policies.count) })
      },
      mergedJoins: prepared.encoded.mergedJoins, truncated: prepared.encoded.truncated)
  }
}

extension ScoringPlan {
  /// One sequence per pass in reproducible runs; otherwise the cheapest plan.
  init(_ sequences: [ScoredSequence], _ configuration: EvaluateConfiguration, constantLength: Int?) {
    if configuration.isReproducible {
      self.init(alone: sequences)
    } else {
      self.init(sharing: sequences, batchTokens: configuration.batchTokens, constantLength: constantLength)
    }
  }
}

extension EvaluateConfiguration.Beginning {
  /// Nil where the tokenizer decides.
  var beginsTexts: Bool? {
    switch self {
    case .auto: nil
    case .always: true
    case .never: false
    }
  }
}
