import JSON
import Statistics

/// `metrics.json`: a report's numbers for other programs. `Artifacts/FORMAT.md` documents the schema, and its version
/// changes whenever the meaning of a member does.
public enum MetricsFile {
  public static let name = "metrics.json"
  public static let schemaVersion = 1

  /// - Parameter tasks: where there are none, there is no member for them.
  public static func json(_ metrics: TextMetrics, tasks: [TaskMetrics] = [], context: ReportContext) -> JSON {
    var file: JSON = [
      "schema_version": .integer(schemaVersion),
      "text": json(metrics.extent),
      "loss": [
        "rho": .number(metrics.rho), "target_entropy": .number(metrics.targetEntropy),
        "vocabulary": .integer(metrics.vocabulary), "tau_min": .number(metrics.bounds.lowerBound),
        "tau_max": .number(metrics.bounds.upperBound),
      ],
      "accuracy": .number(metrics.accuracy),
      "entropy": json(metrics.entropy),
      "policies": .array(metrics.policies.map(json)),
      "leading": .string(context.leading),
      "bootstrap": json(metrics.bootstrap),
      "differences": .array(metrics.differences.map(json)),
      "inputs": .array(
        context.inputs.map { input in
          [
            "name": .string(input.name), "kind": .string(input.kind), "key": .string(input.key),
            "bytes": input.bytes.map(JSON.integer) ?? .null,
          ]
        }),
      "sources": .array(context.sources.map(json)),
      "facts": .object(JSONObject(context.facts.map { ($0.name, .string($0.value)) })),
      "configuration": context.configuration,
    ]
    if !tasks.isEmpty { file["tasks"] = .array(tasks.map(json)) }
    return file
  }

  /// The few figures that an artifact's manifest repeats.
  public static func summary(_ metrics: TextMetrics, tasks: [TaskMetrics] = [], context: ReportContext) -> JSON {
    var summary = EvaluationSummary.members(metrics, leading: context.leading)
    summary["sources"] = .array(context.sources.map(json))
    if !tasks.isEmpty { summary["tasks"] = .array(tasks.map(Self.summary)) }
    return summary
  }

  private static func json(_ extent: TextExtent) -> JSON {
    [
      "split": "test", "tokens": .integer(extent.tokens), "documents": .integer(extent.documents),
      "bytes": .integer(extent.bytes), "words": .integer(extent.words),
    ]
  }

  private static func json(_ policy: PolicyMetrics) -> JSON {
    [
      "name": .string(policy.name),
      "title": .string(policy.title),
      "kind": .string(policy.kind.rawValue),
      "robust_loss": .number(policy.robustLoss),
      "cross_entropy": .number(policy.crossEntropy),
      "token_perplexity": .number(policy.tokenPerplexity),
      "word_perplexity": number(policy.wordPerplexity),
      "byte_perplexity": number(policy.bytePerplexity),
      "bits_per_byte": number(policy.bitsPerByte?.estimate),
      "brier": .number(policy.brier),
      "intervals": .object(
        JSONObject(ComparedMetric.allCases.map { ($0.rawValue, json(policy.intervals[$0]!)) })),
      "calibration": json(policy.calibration),
      "temperature": json(policy.temperature),
      "share_at_minimum": .number(policy.shareAtMinimum),
      "share_at_maximum": .number(policy.shareAtMaximum),
      "correlation_with_entropy": json(policy.entropyCorrelation),
      "correlation_with_exact": policy.exactCorrelation.map(json) ?? .null,
      "gap_closed": policy.gapClosed.map(json) ?? .null,
    ]
  }

  private static func json(_ calibration: Calibration) -> JSON {
    [
      "expected_error": .number(calibration.expectedError),
      "bins": .array(
        calibration.bins.map { bin in
          [
            "from": .number(bin.range.lowerBound), "to": .number(bin.range.upperBound), "tokens": .integer(bin.count),
            "confidence": number(bin.confidence), "accuracy": number(bin.accuracy),
          ]
        }),
    ]
  }

  private static func json(_ distribution: Distribution) -> JSON {
    [
      "mean": .number(distribution.mean),
      "standard_deviation": .number(distribution.standardDeviation),
      "quantiles": .array(
        distribution.quantiles.map { ["fraction": .number($0.fraction), "value": .number($0.value)] }),
    ]
  }

  private static func json(_ correlation: Correlation) -> JSON {
    ["pearson": number(correlation.pearson), "spearman": number(correlation.spearman)]
  }

  private static func json(_ interval: Interval) -> JSON {
    ["estimate": .number(interval.estimate), "low": .number(interval.low), "high": .number(interval.high)]
  }

  private static func json(_ bootstrap: BlockBootstrap) -> JSON {
    [
      "method": "percentile interval of the paired, non-overlapping block bootstrap over contiguous tokens",
      "confidence": .number(bootstrap.confidence), "resamples": .integer(bootstrap.resamples),
      "block_length": .integer(bootstrap.blockLength), "blocks": .integer(bootstrap.blockCount),
      "seed": .integer(Int(bitPattern: UInt(bootstrap.seed))),
    ]
  }

  private static func json(_ difference: Difference) -> JSON {
    [
      "policy": .string(difference.policy), "reference": .string(difference.reference),
      "metric": .string(difference.metric.rawValue), "estimate": .number(difference.interval.estimate),
      "low": .number(difference.interval.low), "high": .number(difference.interval.high),
      "excludes_zero": .bool(difference.interval.excludesZero),
    ]
  }

  private static func json(_ source: ReportContext.Source) -> JSON {
    ["name": .string(source.name), "licence": .string(source.licence), "source": .string(source.origin)]
  }

  private static func number(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
}
