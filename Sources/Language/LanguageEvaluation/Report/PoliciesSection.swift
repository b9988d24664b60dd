import Diagnostics
import Pages
import Reports

/// How well each policy predicts.
struct PoliciesSection {
  let metrics: TextMetrics

  var content: [HTML] {
    [
      .table(MetricsTables(metrics: metrics).intervals), .paragraph(TerminalReport.extent(metrics)),
      .definitions(metrics.policies.map { (term: $0.name, meaning: $0.title) }),
      .figures(ComparedMetric.allCases.map(differences)),
      .paragraph(
        "The small figures are \(confidence) intervals. Losses are means over tokens in nats; perplexities (ppl) are "
          + "the exponential of the summed negative log likelihood over the number of tokens, words or bytes. The Brier "
          + "score is the squared distance of the probabilities from the truth. ECE, the expected calibration error, has "
          + "no interval: resampled errors are larger than the one they are of. A temperature never changes which token "
          + "is likeliest, so the accuracy is the same for all: \(percent(metrics.accuracy)). Gap closed is the share of "
          + "the way in robust loss from the best single temperature to the exact optimum of every token; it is left out "
          + "where that way may be none, or is too short for shares of it to mean anything."),
      .details("Perplexities", .table(MetricsTables(metrics: metrics).perplexities)),
    ]
  }

  /// Every policy against the first one.
  private func differences(in metric: ComparedMetric) -> Figure {
    let reference = metrics.policies[0]
    let rows = metrics.policies.dropFirst().compactMap { policy in
      metrics.difference(policy.name, minus: reference.name, in: metric).map { interval in
        SpanChart.Row(
          policy.name, note: signed(interval.estimate), range: interval.low...interval.high, mark: interval.estimate,
          isStrong: interval.excludesZero)
      }
    }
    let axis = Axis(
      "difference from \(reference.title)\(metric == .brier ? "" : ", nats per token")",
      covering: rows.flatMap { [$0.range.lowerBound, $0.range.upperBound] } + [0])
    return Figure(
      "\(metric.title.capitalised): less is better",
      SpanChart(axis, rows: rows, reference: 0).svg(
        label: "Differences in \(metric.title) from \(reference.title), with \(confidence) intervals"),
      note: "Lines are \(confidence) intervals; the mark is hollow where zero lies inside.")
  }

  private var confidence: String { wholePercent(metrics.bootstrap.confidence) }
}

/// Every pair of policies, in words and in numbers.
struct ComparisonsSection {
  let metrics: TextMetrics
  let findings: Findings

  var content: [HTML] {
    let tables = MetricsTables(metrics: metrics)
    return [.list(findings.sentences), .paragraph(note)]
      + ComparedMetric.allCases.map { metric in
        let table = tables.differences(in: metric)
        return .details(table.title, .table(table))
      }
  }

  private var note: String {
    let bootstrap = metrics.bootstrap
    return "Each line is the mean over tokens of the policy minus that of the other, with its "
      + "\(wholePercent(bootstrap.confidence)) interval: percentiles of \(bootstrap.resamples) resamples of "
      + "\(bootstrap.blockCount) contiguous blocks of \(counted(bootstrap.blockLength, "token")), drawn with "
      + "replacement, the same draws for all policies (seed \(bootstrap.seed)). Blocks are drawn and not tokens because "
      + "neighbouring tokens are alike. The intervals tell how much the text matters, not how another model or another "
      + "training run would fare."
  }
}

extension ComparedMetric {
  /// In a sentence.
  var title: String {
    switch self {
    case .robustLoss: "robust loss"
    case .crossEntropy: "cross-entropy"
    case .brier: "Brier score"
    }
  }
}
