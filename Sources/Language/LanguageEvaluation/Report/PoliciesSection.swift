import Diagnostics
import Pages
import Reports
import Statistics

/// How well each policy predicts.
struct PoliciesSection {
  let metrics: TextMetrics

  var content: [HTML] {
    [
      .table(MetricsTables(metrics: metrics).intervals), .paragraph(TerminalReport.extent(metrics)),
      .definitions(metrics.policies.map { (term: $0.name, meaning: $0.title) }),
      .figures(ComparedMetric.allCases.compactMap(differences)),
      .paragraph(
        "The small figures are \(confidence) t intervals over \(metrics.clusters.words). Losses are means over tokens in nats; perplexities (ppl) are "
          + "the exponential of the summed negative log likelihood over the number of tokens, words or bytes. The Brier "
          + "score is the squared distance of the probabilities from the truth. ECE is the expected calibration error; "
          + "only differences of it have intervals. A temperature never changes which token is likeliest, so the "
          + "accuracy of one model's policies is the same by construction: \(percent(metrics.accuracy)) for the evaluated "
          + "one. Gap closed is the share of the way in robust loss from the best single temperature to the exact optimum "
          + "of every token; it is left out where that way may be none, or is too short for shares of it to mean anything."
      ),
      .details("Perplexities", .table(MetricsTables(metrics: metrics).perplexities)),
    ]
  }

  /// Every policy against the first one; nil where none can be compared with it.
  private func differences(in metric: ComparedMetric) -> Figure? {
    let reference = metrics.policies[0]
    let rows = metrics.policies.dropFirst().compactMap { policy in
      metrics.difference(policy.name, minus: reference.name, in: metric).map { difference in
        let interval = difference.comparison.simultaneous
        return SpanChart.Row(
          policy.name, note: "\(signed(interval.estimate)), \(difference.verdict.rawValue)",
          range: interval.low...interval.high, mark: interval.estimate, isStrong: interval.excludesZero)
      }
    }
    guard !rows.isEmpty else { return nil }
    let axis = Axis(
      "difference from \(reference.title)\(metric.unit.map { ", \($0)" } ?? "")",
      covering: rows.flatMap { [$0.range.lowerBound, $0.range.upperBound] } + [0])
    return Figure(
      "\(metric.title.capitalised): \(metric.isMoreBetter ? "more" : "less") is better",
      SpanChart(axis, rows: rows, reference: 0).svg(
        label: "Differences in \(metric.title) from \(reference.title), with simultaneous \(confidence) intervals"),
      note: "Lines are simultaneous \(confidence) intervals; the mark is hollow where zero lies inside.")
  }

  private var confidence: String { wholePercent(metrics.rules.confidence) }
}

/// Every pair of policies, in words and in numbers.
struct ComparisonsSection {
  let metrics: TextMetrics
  let findings: Findings
  let context: EvaluationContext

  var content: [HTML] {
    let tables = MetricsTables(metrics: metrics)
    let tried = context.triedTable
    return (context.unequalTuning.map { [.paragraph($0)] } ?? []) + [.list(findings.sentences), .paragraph(note)]
      + (tried.rows.isEmpty ? [] : [.details(tried.title, .table(tried))])
      + ComparedMetric.allCases.map { tables.differences(in: $0) }.filter { !$0.rows.isEmpty }.map {
        .details($0.title, .table($0))
      }
  }

  private var note: String {
    let (rules, margins) = (metrics.rules, metrics.rules.margins)
    let few =
      metrics.clusters.clusters.count < Clusters.fewestReliable
      ? " With fewer than \(Clusters.fewestReliable) of them intervals hold the truth less often than they say." : ""
    return
      "Each line is the mean over tokens of the policy minus that of the other, paired over \(metrics.clusters.words), "
      + "with two \(wholePercent(rules.confidence)) intervals: of this difference alone, and simultaneous over every pair "
      + "of policies by this metric (studentised max-T over \(rules.resamples) resamples, the same draws for all, seed "
      + "\(rules.seed)).\(few) Better or worse: the simultaneous interval excludes zero. Equivalent: the 90 % interval of "
      + "the difference alone lies within \(shortest(margins.loss)) nats, \(shortest(margins.calibration)) of ECE or Brier "
      + "score, \(shortest(margins.accuracy)) of accuracy; margins are set beforehand. Otherwise undecided. Detectable is "
      + "the smallest true difference that such a test finds four times out of five. Intervals of ECE hold the signs of its "
      + "bins fixed. The intervals tell how much the text matters, not how another training run would fare."
  }
}

extension ComparedMetric {
  /// In a sentence.
  var title: String {
    switch self {
    case .robustLoss: "robust loss"
    case .crossEntropy: "cross-entropy"
    case .brier: "Brier score"
    case .calibrationError: "expected calibration error"
    case .accuracy: "accuracy"
    }
  }

  /// Nil for shares and scores.
  var unit: String? {
    switch self {
    case .robustLoss, .crossEntropy: "nats per token"
    case .brier, .calibrationError, .accuracy: nil
    }
  }
}
