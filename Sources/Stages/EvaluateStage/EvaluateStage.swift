import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
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
    let policies = try policies(networks, further, validation, loss, vocabulary: subject.vocabulary)
    let baselines = try measured.baselines.enumerated().map { index, other in
      let validation = try pass.validation(
        of: other, bounds: loss.bounds, rho: validation.rho, as: "validation-\(index + 2)")
      return NamedPolicy.baseline(number: index + 1, best: validation.best)
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
      let temperatures = try RecordedPolicies(own.map(\.policy), head: nil)
      try pass.test(other.test, own, temperatures, file, as: "test-pass-\(index + 2)", isFirst: false)
    }

    let taskMetrics = try pass.tasks(measured.main.tasks, policies.map(\.name), temperatures)
    let scores = try file.scores(
      extent: measured.main.description.extent, rho: validation.rho, vocabulary: subject.vocabulary, bounds: loss.bounds
    )
    let metrics = try TextMetrics(
      scores, bootstrap: BlockBootstrap(configuration.bootstrap, measured.main.description))
    let context = try EvaluationContext(
      request, subject, measured.main.description, policies: policies, validation: validation, loss: loss,
      resolution: resolution)
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

  func test(
    _ records: any RecordPasses, _ policies: [NamedPolicy], _ temperatures: RecordedPolicies, _ file: ScoreFile,
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
      let bootstrap = configuration.bootstrap
      return TaskMetrics(
        result, resamples: bootstrap.resamples, seed: UInt64(bootstrap.seed), confidence: bootstrap.confidence)
    }
  }
}

extension BlockBootstrap {
  init(_ configuration: BootstrapConfiguration, _ description: RecordsDescription) throws {
    let tokens = try description.extent.tokens
    self.init(
      count: tokens,
      blockLength: configuration.block
        ?? Self.automaticBlockLength(count: tokens, dependence: description.context),
      resamples: configuration.resamples, seed: UInt64(configuration.seed), confidence: configuration.confidence)
  }
}
