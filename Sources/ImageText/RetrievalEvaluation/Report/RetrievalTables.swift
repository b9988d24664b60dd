import Diagnostics
import Pages
import Pairs
import Statistics

/// The tables of a report on retrieval; shares in percent.
struct RetrievalTables {
  let report: RetrievalReport
  private var study: RetrievalStudy { report.study }

  /// One line per arm: what it recalls on a split, means over seeds.
  func recalls(on set: RetrievalSet) -> Table {
    let metrics = Array(RetrievalMetric.all.dropFirst())
    let headings = RetrievalDirection.allCases.flatMap { direction in
      DirectionMetrics.depths.map { "\(direction.short) R@\($0)" }
    }
    return Table(
      "Recall on \(set.split.name)",
      columns: [.text("loss"), .number("seeds"), .number("mean recall")] + headings.map { .number($0) } + [
        .number("median rank"), .number("ties"), .text("chosen"),
      ],
      rows: study.arms.map { arm in
        let means = study.values(.meanRecall, of: arm, on: set.split)
        let first = study.runs[arm.runs[0]].results[set.split]?.metrics
        return [
          Table.Cell(arm.name), Table.Cell("\(arm.runs.count)"),
          Table.Cell(percentage(means), note: standardDeviation(of: means).map { "sd \(fixed($0 * 100, digits: 1))" }),
        ]
          + metrics.map { Table.Cell(percentage(study.values($0, of: arm, on: set.split))) }
          + [
            Table.Cell(first.map(Self.medians) ?? "–"), Table.Cell(first.map(Self.ties) ?? "–"),
            Table.Cell(study.chosen.contains { $0.name == arm.name } ? "yes" : "no"),
          ]
      })
  }

  private static func medians(_ metrics: RetrievalMetrics) -> String {
    RetrievalDirection.allCases.map { metrics[$0].medianRank.map(String.init) ?? "–" }.joined(separator: " / ")
  }

  private static func ties(_ metrics: RetrievalMetrics) -> String {
    RetrievalDirection.allCases.map { "\(metrics[$0].ties)" }.joined(separator: " / ")
  }

  /// One line per arm and reference, over seeds.
  func comparisons(on split: PairSplit) -> Table {
    Table(
      "Differences in mean recall on \(split.name), points",
      columns: [
        .text("loss"), .text("minus"), .number("difference"),
        .text("\(wholePercent(report.settings.confidence)) t interval over seeds"),
        .text("by seed"), .text("verdict"), .number("detectable"),
      ],
      rows: report.headComparisons.filter { $0.split == split }.map { comparison in
        let seeds = comparison.overSeeds
        return [
          comparison.arm, comparison.reference, RetrievalReport.signedPoints(seeds.estimate ?? 0),
          comparison.intervalOverSeeds.map(RetrievalReport.range) ?? "fewer than three seeds",
          comparison.seeds.map { RetrievalReport.signedPoints($0.comparison.estimate) }.joined(separator: "  "),
          RetrievalReport.verdict(comparison),
          comparison.seeds.map(\.smallestDetectable).max().map { fixed($0 * 100, digits: 1) } ?? "–",
        ]
      })
  }

  /// One line per arm, reference and seed.
  func seeds(on split: PairSplit) -> Table {
    Table(
      "Mean recall seed by seed on \(split.name), points",
      columns: [
        .text("loss"), .text("minus"), .text("seed"), .number("difference"), .text("alone"), .text("simultaneous"),
        .number("detectable"), .text("verdict"),
      ],
      rows: report.headComparisons.filter { $0.split == split }.flatMap { comparison in
        comparison.seeds.map { own in
          [
            comparison.arm, comparison.reference, own.seed.map(String.init) ?? "–",
            RetrievalReport.signedPoints(own.comparison.estimate), RetrievalReport.range(own.comparison.pointwise),
            RetrievalReport.range(own.comparison.simultaneous), fixed(own.smallestDetectable * 100, digits: 1),
            comparison.isTuningFair ? own.verdict.rawValue : "none",
          ]
        }
      })
  }

  /// One line per arm, reference and metric; a metrics file has the seeds.
  func metrics(on split: PairSplit) -> Table {
    Table(
      "Every metric on \(split.name), points",
      columns: [
        .text("loss"), .text("minus"), .text("metric"), .number("difference"),
        .text("\(wholePercent(report.settings.confidence)) t interval over seeds"), .text("verdict"),
      ],
      rows: report.comparisons.filter { $0.split == split }.map { comparison in
        [
          comparison.arm, comparison.reference, comparison.metric.words,
          RetrievalReport.signedPoints(comparison.overSeeds.estimate ?? 0),
          comparison.intervalOverSeeds.map(RetrievalReport.range) ?? "–",
          comparison.isTuningFair ? comparison.verdict.rawValue : "none",
        ]
      })
  }

  /// What was tried of each family.
  var tuning: Table {
    Table(
      "Settings that were tried, by mean recall on validation",
      columns: [.text("loss"), .text("setting"), .number("mean recall"), .text("chosen")],
      rows: study.tried.flatMap { tried in
        tried.trials.enumerated().map { index, trial in
          [tried.family, trial.setting, fixed(trial.score * 100, digits: 1), index == tried.chosen ? "yes" : "no"]
        }
      })
  }

  /// Probabilities of the first run of each chosen arm.
  func probabilities(on split: PairSplit) -> Table {
    Table(
      "Probabilities on \(split.name)",
      columns: [
        .text("loss"), .text("direction"), .text("temperature"), .number("mean"), .number("loss, nats"),
        .number("ECE"),
      ],
      rows: study.chosen.flatMap { arm -> [[String]] in
        (study.runs[arm.runs[0]].results[split]?.probabilities ?? []).map { own in
          [
            arm.name, own.direction.words, own.policy, fourDigits(own.meanTemperature),
            fourDigits(own.likelihood.meanLoss), percent(own.likelihood.calibration.expectedError),
          ]
        }
      })
  }

  /// Empty without classes.
  func zeroShot(on split: PairSplit) -> Table {
    Table(
      "Zero-shot classification on \(split.name)",
      columns: [
        .text("loss"), .number("pictures"), .number("classes"), .number("top 1"), .number("top 5"),
        .number("mean per class"),
      ],
      rows: study.arms.compactMap { arm in
        let results = arm.runs.compactMap { study.runs[$0].results[split]?.zeroShot }
        guard let first = results.first else { return nil }
        let accuracies = ZeroShot.depths.indices.map { depth in results.compactMap { $0.accuracy[depth] } }
        return [arm.name, "\(first.pictures)", "\(first.classCount)"]
          + accuracies.map { $0.isEmpty ? "–" : percentage($0) }
          + [percentage(results.map(\.meanPerClassRecall))]
      })
  }

  var splits: Table {
    Table(
      "Splits", columns: [.text("split"), .number("pictures"), .number("captions"), .number("clusters")],
      rows: study.sets.map {
        [$0.split.name, "\($0.pictures.count)", "\($0.captions.count)", "\($0.clusters.count)"]
      })
  }

  private func percentage(_ shares: [Double]) -> String {
    shares.isEmpty ? "–" : fixed(shares.reduce(0, +) / Double(shares.count) * 100, digits: 1)
  }
}

extension RetrievalDirection {
  var words: String { self == .imageToText ? "picture to caption" : "caption to picture" }
  var short: String { self == .imageToText ? "i2t" : "t2i" }
}

extension RetrievalMetric {
  var words: String {
    switch self {
    case .meanRecall: "mean recall"
    case .recall(let direction, let k): "\(direction.short) R@\(k)"
    }
  }
}
