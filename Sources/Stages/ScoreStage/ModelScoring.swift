import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import LanguageModels
import Reports
import StageDescriptions
import Tasks
import TempNet
import TemperatureSettings
import TokenWindows
import Tokenization
import Torch
import Training

/// A model and the text and tasks on which it is scored, all opened and checked before the model runs.
public struct ModelScoring {
  public let model: LanguageModel
  public let tokens: TokensArtifact
  private let source: ModelInput

  public init(_ source: ModelInput, _ tokens: TokensArtifact, _ resolution: Resolution) throws {
    self.source = source
    self.tokens = tokens
    let pretrained = try PretrainedModel.open(source.path)
    try tokens.checkVocabulary(
      of: source.path, ownTokenizer: source.tokenizerDigest, logits: pretrained.configuration.vocabulary)
    model = try pretrained.load(device: resolution.device, computeType: resolution.computeType, isFrozen: true)
  }

  public var vocabulary: Int { model.configuration.vocabulary }

  /// The file of the TempNet that was trained with the model.
  public var ownTempNet: String? {
    get throws {
      guard let artifact = source.artifact, artifact.contains(TempNetFile.name) else { return nil }
      return try artifact.file(TempNetFile.name)
    }
  }

  /// The file of the model's losses in training.
  public var history: String? {
    get throws {
      guard let artifact = source.artifact, artifact.contains(TrainingFiles.metricsName) else { return nil }
      return try artifact.file(TrainingFiles.metricsName)
    }
  }

  /// The unembedding, float32 [V, d], as it makes the logits of records.
  public var head: Tensor { model.headFactor.to(.float32) }

  public func recorder(_ grid: TemperatureGrid) -> TokenRecorder { TokenRecorder(weight: model.headFactor, grid: grid) }

  /// The passes over a split, or over as many windows of it as hold some number of tokens.
  public func text(_ split: Split, _ settings: ScoredText, sample: Int? = nil, _ recorder: TokenRecorder) throws
    -> TextPasses
  {
    let text = tokens.split(split)
    guard text.count > 0 else {
      throw Failure(.badData, "the split '\(split.rawValue)' has no tokens", at: tokens.artifact.path)
    }
    let context = settings.window ?? model.configuration.context
    let stride = settings.stride ?? context
    for (name, tokens) in [("window", context), ("stride", stride)] where tokens > model.configuration.context {
      throw Failure(
        .badConfiguration,
        "\(name) is \(tokens), but the model reads no more than \(model.configuration.context) tokens", at: name)
    }
    let windows = ScoringWindows(tokens: text.count, context: context, stride: stride)
    return TextPasses(
      model, recorder, split: text, endOfText: tokens.endOfText, windows: windows,
      indices: sample.map { windows.sample(tokens: $0) }, batchTokens: settings.batchTokens)
  }

  public func description(
    _ windows: ScoringWindows, bounds: ClosedRange<Double>, nodesPerOctave: Int, hasHidden: Bool
  ) throws -> RecordsDescription {
    RecordsDescription(
      vocabulary: vocabulary, width: model.configuration.width, parameters: model.parameterCount,
      windows: windows.count, context: windows.context, stride: windows.stride, bounds: bounds,
      nodesPerOctave: nodesPerOctave, hasHidden: hasHidden,
      labelDigest: try Self.digest(tokens.split(.test)), sources: tokens.sources.map(ReportContext.Source.init),
      splits: Split.allCases.map {
        EvaluationContext.Split(name: $0.rawValue, extent: TextExtent(tokens.split($0)))
      },
      model: source.artifact?.manifest.configuration ?? [:])
  }

  private static func digest(_ split: TokenSplit) throws -> String {
    var digest = SHA256()
    for start in stride(from: 0, to: split.count, by: 1 << 20) {
      let ids = try split.tokens(in: start..<min(start + 1 << 20, split.count))
      ids.map(\.littleEndian).withUnsafeBytes { digest.update($0) }
    }
    return digest.hex()
  }

  // MARK: Tasks

  /// Reads and encodes all tasks, so that faults in them are found before anything is computed.
  public func tasks(
    _ settings: ScoredTasks, batchTokens: Int
  ) throws -> [(task: ScoredTask, passes: (TokenRecorder) -> TaskPasses)] {
    guard !settings.paths.isEmpty else { return [] }
    let encoder = PairEncoder(try loadTokenizer(), beginsTexts: settings.beginning.beginsTexts)
    return try TaskFile.read(settings.paths).map { file in
      let task = try ScoringTask(file, limit: settings.limit)
      let encoded = try EncodedTask(task, encoder, length: model.configuration.context)
      try checkDocuments(of: encoded, in: task)
      let plan = ScoringPlan(
        encoded.sequences, settings, batchTokens: batchTokens,
        constantLength: model.configuration.rotaryScaling.constantLength)
      Log.note(Self.summary(task, encoded))
      let (model, endOfText) = (model, tokens.endOfText)
      return (
        ScoredTask(task, encoded, beginning: encoder.description),
        { TaskPasses(model, $0, sequences: encoded.sequences, plan: plan, endOfText: endOfText) }
      )
    }
  }

  /// The tokenizer for tasks: a published model's own, because only its files say how texts begin and end. Its ids equal
  /// those of the tokens artifact.
  private func loadTokenizer() throws -> Tokenizer {
    if source.artifact == nil, let own = try Tokenizer(ofModel: source.path) { return own }
    return try tokens.loadTokenizer()
  }

  /// Refuses texts of several documents for a model whose attention ends at its document: they would have to be scored
  /// document by document.
  private func checkDocuments(of encoded: EncodedTask, in task: ScoringTask) throws {
    guard model.configuration.attention == .document else { return }
    let end = tokens.endOfText
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
}

extension ScoringPlan {
  /// One sequence per pass in reproducible runs; otherwise the cheapest plan.
  init(_ sequences: [ScoredSequence], _ settings: ScoredTasks, batchTokens: Int, constantLength: Int?) {
    if settings.isReproducible {
      self.init(alone: sequences)
    } else {
      self.init(sharing: sequences, batchTokens: batchTokens, constantLength: constantLength)
    }
  }
}

extension ScoredTasks.Beginning {
  /// Nil where the tokenizer decides.
  var beginsTexts: Bool? {
    switch self {
    case .auto: nil
    case .always: true
    case .never: false
    }
  }
}

extension TextExtent {
  init(_ split: TokenSplit) {
    self.init(
      tokens: split.count, documents: split.documents.count,
      bytes: split.documents.reduce(0) { $0 + $1.bytes }, words: split.documents.reduce(0) { $0 + $1.words })
  }
}

extension ReportContext.Source {
  fileprivate init(_ source: Corpus.Source) {
    self.init(name: source.name, licence: source.licence ?? "not stated", origin: source.origin ?? "not stated")
  }
}
