import JSON
import Reports
import Statistics

/// `metrics.json`: a report's numbers for other programs. `Artifacts/FORMAT.md` documents the schema, and its version
/// changes whenever the meaning of a member does.
public enum MetricsFile {
  public static let name = "metrics.json"
  public static let schemaVersion = 1

  /// - Parameter tasks: without tasks the member is absent.
  public static func json(_ metrics: TextMetrics, tasks: [TaskMetrics] = [], context: EvaluationContext) -> JSON {
    var file: JSON = [
      "schema_version": .integer(schemaVersion),
      "text": json(metrics.extent),
      "loss": [
        "rho": .number(metrics.rho), "target_entropy": .number(metrics.targetEntropy),
        "vocabulary": .integer(metrics.vocabulary), "tau_min": .number(metrics.bounds.lowerBound),
        "tau_max": .number(metrics.bounds.upperBound),
      ],
      "accuracy": .number(metrics.accuracy),
      "entropy": metrics.entropy.json,
      "policies": .array(metrics.policies.map(json)),
      "leading": .string(context.leading),
      "bootstrap": metrics.rules.json(of: metrics.clusters),
      "differences": .array(metrics.differences.map(json)),
    ]
    if let seeds = ModelsOverSeeds(context.models, metrics) { file["seeds"] = seeds.json }
    file["tuning"] = .array(context.tried.map(json))
    for (name, value) in context.origin.members { file[name] = value }
    if !tasks.isEmpty { file["tasks"] = .array(tasks.map(json)) }
    return file
  }

  /// The few figures that an artifact's manifest repeats.
  public static func summary(_ metrics: TextMetrics, tasks: [TaskMetrics] = [], context: EvaluationContext) -> JSON {
    var summary = EvaluationSummary(metrics, leading: context.leading).json
    summary["sources"] = context.origin.sourcesJSON
    if !tasks.isEmpty { summary["tasks"] = .array(tasks.map(Self.summary)) }
    return summary
  }

  private static func json(_ tried: TriedSettings) -> JSON {
    [
      "family": .string(tried.family), "chosen": .string(tried.trials[tried.chosen].setting),
      "trials": .array(
        tried.trials.map { ["setting": .string($0.setting), "validation_cross_entropy": .number($0.score)] }),
    ]
  }

  private static func json(_ extent: TextExtent) -> JSON {
    [
      "split": "test", "tokens": .integer(extent.tokens), "documents": .integer(extent.documents),
      "bytes": .integer(extent.bytes), "words": .integer(extent.words),
    ]
  }

  private static func json(_ policy: PolicyMetrics) -> JSON {
    var json = figures(policy)
    // The policies of the evaluated model share the accuracy at the top.
    if policy.kind == .baseline { json["accuracy"] = .number(policy.accuracy) }
    return json
  }

  private static func figures(_ policy: PolicyMetrics) -> JSON {
    [
      "name": .string(policy.name),
      "title": .string(policy.title),
      "kind": .string(policy.kind.rawValue),
      "robust_loss": .number(policy.robustLoss),
      "cross_entropy": .number(policy.crossEntropy),
      "token_perplexity": .number(policy.tokenPerplexity),
      "word_perplexity": .number(orNull: policy.wordPerplexity),
      "byte_perplexity": .number(orNull: policy.bytePerplexity),
      "bits_per_byte": .number(orNull: policy.bitsPerByte),
      "brier": .number(policy.brier),
      "intervals": .object(
        JSONObject(ComparedMetric.means.map { ($0.rawValue, policy.intervals[$0]?.json ?? .null) })),
      "calibration": policy.calibration.json(counting: "tokens"),
      "temperature": policy.temperature.json,
      "share_at_minimum": .number(policy.shareAtMinimum),
      "share_at_maximum": .number(policy.shareAtMaximum),
      "correlation_with_entropy": policy.entropyCorrelation.json,
      "adaptation": policy.adaptation.map { JSON.string($0.rawValue) } ?? .null,
      "correlation_with_exact": policy.exactCorrelation?.json ?? .null,
      "gap_closed": policy.gapClosed?.json ?? .null,
    ]
  }

  private static func json(_ difference: Difference) -> JSON {
    json(
      difference.policy, difference.reference, difference.metric.rawValue,
      difference.comparison.members(difference.verdict))
  }

  /// A policy minus a reference.
  static func json(_ policy: String, _ reference: String, _ metric: String, _ members: [(String, JSON)]) -> JSON {
    let names: [(String, JSON)] = [
      ("policy", .string(policy)), ("reference", .string(reference)), ("metric", .string(metric)),
    ]
    return .object(JSONObject(names + members))
  }
}

extension ComparisonRules {
  fileprivate func json(of text: TextClusters) -> JSON {
    var json = json(drawing: text.words)
    json["blocks"] = .integer(text.clusters.count)
    if case .blocks(let length) = text.unit {
      json["block_length"] = .integer(length)
    } else {
      json["block_length"] = .null
    }
    return json
  }

  /// - Parameter words: what is drawn.
  func json(drawing words: String) -> JSON {
    [
      "method": .string(
        "t intervals of means; studentised paired bootstrap over \(words) for differences, simultaneous by max-T"),
      "confidence": .number(confidence), "resamples": .integer(resamples),
      "seed": .integer(Int(bitPattern: UInt(seed))),
      "margins": [
        "loss": .number(margins.loss), "accuracy": .number(margins.accuracy),
        "calibration": .number(margins.calibration),
      ],
    ]
  }
}
