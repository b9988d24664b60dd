import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import Reports
import ScoreStage
import StageDescriptions
import Statistics
import TempNet
import Tokenization
import Torch
import Training

/// Scores temperature policies on the test split.
///
/// The validation split decides the single temperatures first; then the records of the test split are passed over once.
/// Both are saved, so that an interrupted run goes on where it stopped.
public enum EvaluateStage {
  public static func run(_ request: StageRequest<Evaluate>) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    var report: String?
    let artifact = try request.make(resolution.json) { builder in
      let (summary, text) = try evaluate(request, resolution, builder)
      report = text
      return summary
    }
    // Printed last, when the artifact is published.
    if let report { Log.note("\n" + report + "\n") }
    return artifact
  }

  private static func evaluate(
    _ request: StageRequest<Evaluate>, _ resolution: Resolution, _ builder: ArtifactBuilder
  ) throws -> (summary: JSON, report: String) {
    resolution.apply()
    let configuration = request.configuration
    let subjects = try Subjects(request, resolution)
    let subject = subjects.main
    let networks = try EvaluatedTempNets(request, subject, device: resolution.device)
    let loss = try LossSettings(configuration, networks, vocabulary: subject.vocabulary)
    let further = try FurtherPolicies(configuration, networks, loss, vocabulary: subject.vocabulary)
    let measured = try subjects.measured(for: further.bounds(with: loss.bounds))
    let pass = SavedPasses(builder, configuration)

    let validation = try pass.validation(of: measured.main, bounds: loss.bounds, rho: loss.rho, as: "validation")
    let tuning = try Tuning(
      further.tuned, subject.head == nil ? [] : networks.families, count: configuration.tuning,
      entropy: validation.entropy
    ) { try pass.tuning($0, of: measured.main, head: subject.head) }
    let policies = try policies(networks, further, validation, tuning, loss, vocabulary: subject.vocabulary)
    let baselines = try measured.baselines.enumerated().map { index, other in
      let validation = try pass.validation(
        of: other, bounds: loss.bounds, rho: validation.rho, as: "validation-\(index + 2)")
      return NamedPolicy.baseline(
        number: index + 1, best: validation.best,
        own: try subjects.baselines[index].ownNetwork(device: resolution.device))
    }
    if subject.head == nil, let network = policies.first(where: { $0.kind == .tempnet }) {
      throw Failure(
        .badConfiguration, "a TempNet reads hidden states, which the records lack; score again with hidden=true",
        at: "policy \(network.name)")
    }
    let temperatures = try RecordedPolicies(policies.map(\.policy), head: subject.head)

    let file = ScoreFile(
      path: try builder.path(for: ScoreFile.name), tokens: measured.main.test.rows,
      policies: policies + baselines.flatMap { $0 })
    try pass.test(measured.main.test, policies, temperatures, file, as: "test-pass", isFirst: true)
    for (index, (own, other)) in zip(baselines, measured.baselines).enumerated() {
      let temperatures = try RecordedPolicies(own.map(\.policy), head: subjects.baselines[index].head)
      try pass.test(other.test, own, temperatures, file, as: "test-pass-\(index + 2)", isFirst: false)
    }

    let taskMetrics = try pass.tasks(measured.main.tasks, policies.map(\.name), temperatures)
    let scores = try file.scores(
      extent: measured.main.description.extent, rho: validation.rho, vocabulary: subject.vocabulary, bounds: loss.bounds
    )
    let metrics = TextMetrics(
      scores,
      clusters: TextClusters(
        documents: scores.documents, block: configuration.bootstrap.block,
        dependence: measured.main.description.context),
      rules: configuration.rules)
    let context = try EvaluationContext(
      request, subject, measured.main.description, policies: policies, validation: validation, loss: loss,
      tried: tuning.tried, models: Self.models(measured, policies, baselines), resolution: resolution)
    try AtomicFile.write(
      MetricsFile.json(metrics, tasks: taskMetrics, context: context).pretty, to: builder.path(for: MetricsFile.name))
    try AtomicFile.write(
      HTMLReport.page(metrics, scores: scores, tasks: taskMetrics, context: context),
      to: builder.path(for: HTMLReport.name))
    return (
      MetricsFile.summary(metrics, tasks: taskMetrics, context: context),
      TerminalReport.text(metrics, tasks: taskMetrics, leading: context.leading)
    )
  }
}

extension EvaluateStage {
  /// All models with the names of their policies.
  fileprivate static func models(
    _ measured: (main: Measured, baselines: [Measured]), _ policies: [NamedPolicy], _ baselines: [[NamedPolicy]]
  ) -> [EvaluatedModel] {
    let own = policies.first { $0.name == PolicyName.model }?.name
    var names: [[EvaluatedModel.Role: String]] = [[.one: policies[0].name, .best: policies[1].name]]
    names[0][.tempnet] = own
    names += baselines.map { policies in
      Dictionary(uniqueKeysWithValues: zip(EvaluatedModel.Role.allCases, policies.map(\.name)))
    }
    return EvaluatedModel.models(
      ([measured.main] + measured.baselines).map(\.description.model), policies: names)
  }
}

/// The passes of an evaluation, each with a file that states how far it is.
private struct SavedPasses {
  let builder: ArtifactBuilder
  let configuration: EvaluateConfiguration

  init(_ builder: ArtifactBuilder, _ configuration: EvaluateConfiguration) {
    (self.builder, self.configuration) = (builder, configuration)
  }

  private var interval: Duration { .seconds(configuration.checkpointSeconds) }

  func validation(
    of measured: Measured, bounds: ClosedRange<Double>, rho: Double?, as name: String
  ) throws -> Validation {
    let path = "\(builder.checkpointsPath)/\(name).json"
    if Files.exists(path) {
      return try Validation(try JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    }
    let validation = try ValidationPass(records: measured.validation, bounds: bounds, rho: rho).run()
    try AtomicFile.write(validation.json.pretty, to: path)
    return validation
  }

  /// The mean cross-entropies of policies on the validation tokens.
  func tuning(
    _ policies: [TemperaturePolicy], of measured: Measured, head: (weight: Tensor, bias: Tensor?)?
  ) throws -> [Double] {
    let path = "\(builder.checkpointsPath)/tuning.json"
    if Files.exists(path) {
      return try (JSON(parsing: Files.read(path), source: path, for: .strict).arrayValue ?? []).compactMap(
        \.doubleValue)
    }
    let scores = try TuningPass(records: measured.validation, head: head).run(policies)
    try AtomicFile.write(JSON.array(scores.map(JSON.number)).pretty, to: path)
    return scores
  }

  func test(
    _ records: any TextRecordPasses, _ policies: [NamedPolicy], _ temperatures: RecordedPolicies, _ file: ScoreFile,
    as name: String, isFirst: Bool
  ) throws {
    try TestPass(
      records: records, policies: policies, temperatures: temperatures, file: file, isFirst: isFirst,
      checkpoint: "\(builder.checkpointsPath)/\(name).json", checkpointInterval: interval
    ).run()
  }

  /// Scores all tasks with all policies and writes `items-TASK.jsonl` for each.
  func tasks(
    _ tasks: [(task: ScoredTask, passes: any TaskRecordPasses)], _ policies: [String],
    _ temperatures: RecordedPolicies
  ) throws -> [TaskMetrics] {
    try tasks.map { task, passes in
      let name = task.description.name
      let scores = try TaskPass(
        name: name, records: passes, policies: policies, temperatures: temperatures,
        sequenceCount: task.sequenceCount, log: "\(builder.checkpointsPath)/task-\(name).jsonl", saveInterval: interval
      ).run()
      let result = task.scores(scores, policies)
      try ItemFile.write(task.items, result, to: builder.path(for: ItemFile.name(of: name)))
      return TaskMetrics(result, rules: configuration.rules)
    }
  }
}

extension EvaluateConfiguration {
  fileprivate var rules: ComparisonRules {
    ComparisonRules(
      resamples: bootstrap.resamples, seed: UInt64(bootstrap.seed), confidence: bootstrap.confidence,
      margins: ComparisonRules.Margins(
        loss: margins.loss, accuracy: margins.accuracy, calibration: margins.calibration))
  }
}
