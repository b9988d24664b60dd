import Diagnostics
import Pages
import Reports
import Statistics

/// How far predicted probabilities agree with frequencies.
struct CalibrationSection {
  let metrics: TextMetrics

  var content: [HTML] {
    [
      .paragraph(
        "Tokens are put together by the probability of their likeliest token, in \(Calibration.binCount) ranges of equal "
          + "width; a mark shows how often that token was the right one. Below the diagonal predictions are surer than "
          + "they should be, above it less sure. ECE is the mean distance from the diagonal over all tokens."),
      .figures(metrics.policies.map(diagram)), .details("The diagrams as a table", .table(table)),
    ]
  }

  private func diagram(_ policy: PolicyMetrics) -> Figure {
    var plot = Plot(
      x: Axis("probability of the likeliest token", covering: 0...1.0),
      y: Axis("how often it was right", covering: 0...1.0))
    let bins = policy.calibration.bins.filter { $0.count > 0 }
    let points = bins.map { (x: $0.confidence ?? 0, y: $0.accuracy ?? 0) }
    plot.diagonal()
    plot.line(points, style: 1)
    plot.dots(
      points, style: 1,
      notes: bins.map { bin in
        "\(bin.count) tokens: probability \(percent(bin.confidence ?? 0)), right \(percent(bin.accuracy ?? 0))"
      })
    return Figure(
      policy.title.capitalised, plot.svg(label: "Reliability diagram of \(policy.title)"),
      note: "ECE \(percent(policy.calibration.expectedError)), Brier score \(fourDigits(policy.brier)).")
  }

  private var table: Table {
    Table(
      "Reliability",
      columns: [.text("policy"), .text("probability"), .number("tokens"), .number("mean"), .number("right")],
      rows: metrics.policies.flatMap { policy in
        policy.calibration.bins.filter { $0.count > 0 }.map { bin in
          [
            policy.name, "\(fixed(bin.range.lowerBound, digits: 3)) to \(fixed(bin.range.upperBound, digits: 3))",
            "\(bin.count)", percent(bin.confidence ?? 0), percent(bin.accuracy ?? 0),
          ]
        }
      })
  }
}
