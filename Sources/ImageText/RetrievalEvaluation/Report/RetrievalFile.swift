import Diagnostics
import JSON
import Pairs
import Reports
import Statistics

/// `metrics.json` of a `retrieval` artifact; `Artifacts/FORMAT.md` documents the schema.
public enum RetrievalFile {
  public static let name = "metrics.json"
  public static let schemaVersion = 1

  public static func json(_ report: RetrievalReport) -> JSON {
    let study = report.study
    var file: JSON = [
      "schema_version": .integer(schemaVersion),
      "splits": .array(study.sets.map(json)),
      "missing_tests": .array(report.missingTests.map { .string($0.name) }),
      "runs": .array(study.runs.map { json($0, study.sets) }),
      "arms": .array(study.arms.map { json($0, study) }),
      "tuning": .array(study.tried.map(json)),
      "references": .array(study.references.map { .string($0.name) }),
      "comparisons": .array(report.comparisons.map(json)),
      "bootstrap": [
        "method": "studentised max-T over resampled clusters, expanded by Student's t",
        "confidence": .number(report.settings.confidence), "resamples": .integer(report.settings.resamples),
        "seed": .integer(Int(bitPattern: UInt(report.settings.seed))), "margin": .number(report.settings.margin),
      ],
      "temperatures": .array(report.temperatures.map(json)),
    ]
    for member in report.context.members { file[member.name] = member.value }
    return file
  }

  private static func json(_ set: RetrievalSet) -> JSON {
    [
      "name": .string(set.split.name), "pictures": .integer(set.pictures.count),
      "captions": .integer(set.captions.count), "clusters": .integer(set.clusters.count),
    ]
  }

  private static func json(_ run: RetrievalRun, _ sets: [RetrievalSet]) -> JSON {
    [
      "name": .string(run.name.description), "arm": .string(run.name.arm), "family": .string(run.name.family),
      "seed": run.name.seed.map(JSON.integer) ?? .null, "key": .string(run.key), "scale": .number(run.scale.value),
      "scale_from": .string(run.scale.origin.rawValue),
      "splits": .array(sets.compactMap { set in run.results[set.split].map { json($0, set.split) } }),
    ]
  }

  private static func json(_ result: RetrievalRun.Result, _ split: PairSplit) -> JSON {
    var object: JSON = ["name": .string(split.name), "mean_recall": .number(result.metrics.meanRecall)]
    for direction in RetrievalDirection.allCases { object[direction.rawValue] = json(result.metrics[direction]) }
    object["zero_shot"] = result.zeroShot.map(json) ?? .null
    object["probabilities"] = .array(result.probabilities.map(json))
    return object
  }

  private static func json(_ metrics: DirectionMetrics) -> JSON {
    [
      "recall": .array(
        DirectionMetrics.depths.map { ["k": .integer($0), "recall": .number(metrics.recall(at: $0))] }),
      "median_rank": metrics.medianRank.map(JSON.integer) ?? .null, "mean_rank": .number(orNull: metrics.meanRank),
      "queries": .integer(metrics.queries.count), "candidates": .integer(metrics.candidates),
      "without_own": .integer(metrics.withoutOwn), "ties": .integer(metrics.ties),
    ]
  }

  private static func json(_ zeroShot: ZeroShot) -> JSON {
    [
      "pictures": .integer(zeroShot.pictures), "classes": .integer(zeroShot.classCount),
      "accuracy": .array(
        zip(ZeroShot.depths, zeroShot.accuracy).map { ["k": .integer($0), "accuracy": .number(orNull: $1)] }),
      "mean_per_class_recall": .number(zeroShot.meanPerClassRecall), "ties": .integer(zeroShot.ties),
    ]
  }

  private static func json(_ probabilities: RetrievalRun.Probabilities) -> JSON {
    [
      "direction": .string(probabilities.direction.rawValue), "policy": .string(probabilities.policy),
      "mean_temperature": .number(probabilities.meanTemperature),
      "loss": .number(probabilities.likelihood.meanLoss),
      "calibration": probabilities.likelihood.calibration.json(counting: "queries"),
    ]
  }

  private static func json(_ arm: RetrievalStudy.Arm, _ study: RetrievalStudy) -> JSON {
    [
      "name": .string(arm.name), "family": .string(arm.family), "runs": .integer(arm.runs.count),
      "is_chosen": .bool(study.chosen.contains { $0.name == arm.name }),
      "mean_recall": .array(
        study.sets.map { set in
          let values = study.values(.meanRecall, of: arm, on: set.split)
          return [
            "split": .string(set.split.name), "mean": .number(values.reduce(0, +) / Double(values.count)),
            "standard_deviation": .number(orNull: standardDeviation(of: values)),
          ]
        }),
    ]
  }

  private static func json(_ tried: TriedSettings) -> JSON {
    [
      "family": .string(tried.family), "chosen": .string(tried.trials[tried.chosen].setting),
      "trials": .array(
        tried.trials.map { ["setting": .string($0.setting), "validation_mean_recall": .number($0.score)] }),
    ]
  }

  private static func json(_ comparison: RetrievalComparison) -> JSON {
    [
      "split": .string(comparison.split.name), "arm": .string(comparison.arm),
      "reference": .string(comparison.reference), "metric": .string(comparison.metric.name),
      "estimate": .number(orNull: comparison.overSeeds.estimate),
      "over_seeds": comparison.intervalOverSeeds.map(\.json) ?? .null,
      "is_tuning_fair": .bool(comparison.isTuningFair), "verdict": .string(comparison.verdict.rawValue),
      "seeds": .array(
        comparison.seeds.map { own in
          [
            "seed": own.seed.map(JSON.integer) ?? .null, "estimate": .number(own.comparison.estimate),
            "standard_error": .number(own.comparison.standardError),
            "pointwise": own.comparison.pointwise.json, "narrow": own.comparison.narrow.json,
            "simultaneous": own.comparison.simultaneous.json,
            "smallest_detectable": .number(own.smallestDetectable), "verdict": .string(own.verdict.rawValue),
          ]
        }),
    ]
  }

  private static func json(_ temperatures: TemperatureStudy) -> JSON {
    [
      "run": .string(temperatures.run), "split": .string(temperatures.split.name),
      "direction": .string(temperatures.direction.rawValue), "policy": .string(temperatures.policy),
      "rho": .number(temperatures.rho), "temperature": Distribution(of: temperatures.temperatures).json,
      "correlation_with_frequency": temperatures.frequencyCorrelation.json,
      "correlation_with_near_candidates": temperatures.nearCorrelation.json,
    ]
  }
}
