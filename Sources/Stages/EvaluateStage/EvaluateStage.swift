import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import LanguageModels
import StageDescriptions
import Statistics
import TempNet
import TokenWindows
import Tokenization
import Torch
import Training

/// Scores temperature policies on the test split.
///
/// The validation split decides the single temperatures first; then the model goes once over the test split. Both are
/// saved, so that an interrupted run goes on where it stopped.
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
    let subject = try Subject(request, resolution)
    let networks = try Networks(
      request, vocabulary: subject.vocabulary, width: subject.model.configuration.width, device: resolution.device)
    let tasks = try TaskScoring(configuration, subject)
    let loss = try LossSettings(configuration, networks, vocabulary: subject.vocabulary)
    let further = try FurtherPolicies(configuration, networks, loss, vocabulary: subject.vocabulary)
    let validation = try validate(subject, configuration, loss, checkpoints: builder.checkpointsPath)
    let policies = try policies(networks, further, validation, loss, vocabulary: subject.vocabulary)

    let temperatures = FoldedPolicies(policies.map(\.policy), unembedding: subject.model.headWeight)

    let forward = try subject.forward(.test, configuration)
    let file = ScoreFile(
      path: try builder.path(for: ScoreFile.name), tokens: forward.split.count, policies: policies)
    try TestPass(
      forward: forward, policies: policies, temperatures: temperatures, file: file,
      checkpoint: "\(builder.checkpointsPath)/test-pass.json",
      checkpointInterval: .seconds(configuration.checkpointSeconds)
    ).run()

    let taskMetrics = try tasks.run(policies.map(\.name), temperatures, builder)
    let scores = try file.scores(
      extent: TextExtent(forward.split), rho: validation.rho, vocabulary: subject.vocabulary, bounds: loss.bounds)
    let metrics = TextMetrics(scores, bootstrap: BlockBootstrap(configuration.bootstrap, forward))
    let context = try EvaluationContext(
      request, subject: subject, forward: forward, policies: policies, validation: validation, loss: loss,
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

  private static func validate(
    _ subject: Subject, _ configuration: EvaluateConfiguration, _ loss: LossSettings, checkpoints: String
  ) throws -> Validation {
    let path = "\(checkpoints)/validation.json"
    if Files.exists(path) {
      return try Validation(try JSON(parsing: Files.read(path), source: path, for: .strict), source: path)
    }
    let validation = try ValidationPass(
      forward: subject.forward(.validation, configuration), bounds: loss.bounds, rho: loss.rho,
      sample: configuration.validationTokens
    ).run()
    try AtomicFile.write(validation.json.pretty, to: path)
    return validation
  }
}

/// The model and the text it is tried on.
struct Subject {
  let model: LanguageModel
  let tokens: TokensArtifact
  private let source: ModelInput

  var vocabulary: Int { model.configuration.vocabulary }

  init(_ request: StageRequest<Evaluate>, _ resolution: Resolution) throws {
    source = request.inputs.model("model")
    tokens = try TokensArtifact(request.inputs.artifact("tokens"))
    let pretrained = try PretrainedModel.open(source.path)
    try tokens.checkVocabulary(
      of: source.path, ownTokenizer: source.tokenizerDigest, logits: pretrained.configuration.vocabulary)
    model = try pretrained.load(device: resolution.device, computeType: resolution.computeType, isFrozen: true)
  }

  /// The tokenizer for tasks: a published model's own, because only its files say how texts begin and end. Its ids equal
  /// those of the tokens artifact.
  func loadTokenizer() throws -> Tokenizer {
    if source.artifact == nil, let own = try Tokenizer(ofModel: source.path) { return own }
    return try tokens.loadTokenizer()
  }

  func forward(_ split: Split, _ configuration: EvaluateConfiguration) throws -> Forward {
    let text = tokens.split(split)
    guard text.count > 0 else {
      throw Failure(.badData, "the split '\(split.rawValue)' has no tokens", at: tokens.artifact.path)
    }
    let context = configuration.window ?? model.configuration.context
    let stride = configuration.stride ?? context
    for (name, tokens) in [("window", context), ("stride", stride)] where tokens > model.configuration.context {
      throw Failure(
        .badConfiguration,
        "\(name) is \(tokens), but the model reads no more than \(model.configuration.context) tokens", at: name)
    }
    return Forward(
      model: model, split: text, endOfText: tokens.endOfText,
      windows: ScoringWindows(tokens: text.count, context: context, stride: stride),
      batchTokens: configuration.batchTokens)
  }
}

extension BlockBootstrap {
  init(_ configuration: BootstrapConfiguration, _ forward: Forward) {
    let tokens = forward.split.count
    self.init(
      count: tokens,
      blockLength: configuration.block
        ?? Self.automaticBlockLength(count: tokens, dependence: forward.windows.context),
      resamples: configuration.resamples, seed: UInt64(configuration.seed), confidence: configuration.confidence)
  }
}

extension TextExtent {
  init(_ split: TokenSplit) {
    self.init(
      tokens: split.count, documents: split.documents.count,
      bytes: split.documents.reduce(0) { $0 + $1.bytes }, words: split.documents.reduce(0) { $0 + $1.words })
  }
}
