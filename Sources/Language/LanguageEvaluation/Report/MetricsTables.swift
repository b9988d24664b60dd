import Diagnostics
import Pages
import Statistics

/// The tables of a report.
struct MetricsTables {
  let metrics: TextMetrics

  /// One line per policy: how well it predicts.
  var predictions: Table {
    Table(
      "Predictions",
      columns: [
        .text("policy"), .number("robust loss"), .number("token ppl"), .number("word ppl"), .number("byte ppl"),
        .number("bits/byte"), .number("Brier"), .number("ECE"), .number("accuracy"), .number("gap closed"),
      ],
      rows: metrics.policies.map { policy in
        [
          policy.name, figure(policy.robustLoss), perplexity(policy.tokenPerplexity), perplexity(policy.wordPerplexity),
          figure(policy.bytePerplexity), figure(policy.bitsPerByte), figure(policy.brier),
          percent(policy.calibration.expectedError), share(policy.accuracy),
          share(metrics.meaningfulGapClosed(by: policy)?.estimate),
        ]
      })
  }

  /// The same with intervals, for a page.
  var intervals: Table {
    Table(
      "Policies",
      columns: [
        .text("policy"), .number("robust loss"), .number("cross-entropy"), .number("bits/byte"), .number("Brier"),
        .number("ECE"), .number("gap closed"),
      ],
      rows: metrics.policies.map { policy in
        [
          Table.Cell(policy.name), cell(policy.robustLoss, policy.intervals[.robustLoss]),
          cell(policy.crossEntropy, policy.intervals[.crossEntropy]),
          cell(policy.bitsPerByte, policy.bitsPerByteInterval), cell(policy.brier, policy.intervals[.brier]),
          Table.Cell(percent(policy.calibration.expectedError)),
          metrics.meaningfulGapClosed(by: policy).map { gap in
            Table.Cell(percent(gap.estimate), note: "\(percent(gap.low)) to \(percent(gap.high))")
          } ?? Table.Cell("–"),
        ]
      })
  }

  private func cell(_ value: Double?, _ interval: Interval?) -> Table.Cell {
    Table.Cell(figure(value), note: interval.map { range($0) })
  }

  private func range(_ interval: Interval) -> String { "\(figure(interval.low)) to \(figure(interval.high))" }

  /// The figures of papers, by several denominators.
  var perplexities: Table {
    Table(
      "Perplexities", columns: [.text("policy"), .number("token ppl"), .number("word ppl"), .number("byte ppl")],
      rows: metrics.policies.map { policy in
        [
          policy.name, perplexity(policy.tokenPerplexity), perplexity(policy.wordPerplexity),
          figure(policy.bytePerplexity),
        ]
      })
  }

  /// One line per policy: what its temperatures are like.
  var temperatures: Table {
    let shown = [0, 0.05, 0.5, 0.95, 1]
    let quantiles = ["min", "5 %", "50 %", "95 %", "max"]
    return Table(
      "Temperatures",
      columns: [.text("policy"), .number("mean"), .number("sd")] + quantiles.map { .number($0) } + [
        .number("at min"), .number("at max"), .number("r entropy"), .number("rank r"), .text("sign"),
        .number("r exact"), .number("rank r"),
      ],
      rows: metrics.policies.map { policy in
        let temperature = policy.temperature
        var cells: [String] = [policy.name, short(temperature.mean), short(temperature.standardDeviation)]
        cells += temperature.quantiles.filter { shown.contains($0.fraction) }.map { short($0.value) }
        cells += [percent(policy.shareAtMinimum), percent(policy.shareAtMaximum)]
        cells += coefficients(policy.entropyCorrelation)
        cells.append(policy.adaptation?.rawValue ?? "–")
        cells += coefficients(policy.exactCorrelation)
        return cells
      })
  }

  /// One line per pair of policies.
  func differences(in metric: ComparedMetric) -> Table {
    Table(
      "Differences in \(metric.title)",
      columns: [
        .text("policy"), .text("minus"), .number("difference"), .text("alone"), .text("simultaneous"),
        .number("detectable"), .text("verdict"),
      ],
      rows: metrics.differences.filter { $0.metric == metric }.map { difference in
        let comparison = difference.comparison
        return [
          difference.policy, difference.reference, figure(comparison.estimate), range(comparison.pointwise),
          range(comparison.simultaneous), figure(comparison.smallestDetectable), difference.verdict.rawValue,
        ]
      })
  }

  private func coefficients(_ correlation: Correlation?) -> [String] {
    [correlation?.pearson, correlation?.spearman].map { $0.map { readable($0, digits: 2) } ?? "–" }
  }

  private func figure(_ value: Double?) -> String { value.map(fourDigits) ?? "–" }
  private func short(_ value: Double) -> String { readable(value, digits: 3) }
  private func share(_ value: Double?) -> String { value.map(percent) ?? "–" }

  /// Perplexities run from a few to millions.
  private func perplexity(_ value: Double?) -> String {
    guard let value else { return "–" }
    return value < 1000 ? fixed(value, digits: 3) : abbreviated(value)
  }
}
