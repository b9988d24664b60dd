import Diagnostics
import Pages
import Reports
import Statistics
import TemperatureSettings

/// The distribution of the temperatures, and their correlations.
struct TemperaturesSection {
  let metrics: TextMetrics
  let scores: TestScores

  /// Policies that give tokens different temperatures.
  private var varied: [PolicyScores] {
    scores.policies.filter { ($0.temperature.max() ?? 0) > ($0.temperature.min() ?? 0) }
  }
  private var exact: PolicyScores? { scores.policies.first { $0.kind == .exact } }

  private static let histogramParts = 36
  private static let (columns, rows) = (50, 34)
  private static let shades = 6

  var content: [HTML] {
    [
      .table(MetricsTables(metrics: metrics).temperatures), .paragraph(note),
      .heading("How often each temperature occurs"),
      .figures(histograms.map { histogramFigure($0.policy, $0.histogram) }),
      histograms.isEmpty
        ? .paragraph("Every policy gives all tokens the same temperature.")
        : .details("The histograms as a table", .table(histogramTable)),
      .heading("What the temperature follows"), .figures(densities),
      .details("The medians as a table", HTML(trends.map { .heading($0.title) + .table($0) })),
    ]
  }

  private var note: String {
    let margin = wholePercent(BoundMargin.share)
    return
      "Temperatures may run from \(shortest(metrics.bounds.lowerBound)) to \(shortest(metrics.bounds.upperBound)); "
      + "one within \(margin) of that range from an end counts as being at the bound. The columns r and rank r are "
      + "Pearson's and Spearman's correlation of the temperature with the entropy of the prediction at temperature 1, "
      + "and with the exact optimum. At temperature 1 the predictions have a mean entropy of "
      + "\(fourDigits(metrics.entropy.mean)) nats (standard deviation \(fourDigits(metrics.entropy.standardDeviation)))."
  }

  // MARK: Histograms

  /// One axis for all, so that panels can be compared.
  private var temperatureAxis: Axis {
    Axis(
      "temperature",
      covering: varied.flatMap { [$0.temperature.min() ?? 0, $0.temperature.max() ?? 0] }.map(Double.init))
  }

  private var histograms: [(policy: PolicyScores, histogram: Histogram)] {
    let range = temperatureAxis.range
    return varied.map { ($0, Histogram(of: $0.temperature, in: range, parts: Self.histogramParts)) }
  }

  private func histogramFigure(_ policy: PolicyScores, _ histogram: Histogram) -> Figure {
    // Each has its own height: one that hardly varies would leave nothing of the others to see.
    let largest = histogram.counts.indices.map { histogram.share($0) }.max() ?? 1
    var plot = Plot(x: temperatureAxis, y: Axis("% of tokens", covering: 0...100 * largest, steps: 4))
    plot.bars(
      histogram.counts.indices.map { part in
        let (range, share) = (histogram.bounds(part), histogram.share(part))
        return (range: range, value: 100 * share, note: "\(temperature(range)): \(histogram.counts[part]) tokens")
      }, style: 1)
    let single = metrics.policy(.bestRobustLoss)?.temperature.mean
    if let single { plot.rule(x: single) }
    return Figure(
      policy.title.capitalised, plot.svg(label: "Histogram of the temperatures of \(policy.title)"),
      keys: single.map { [.rule("the best single temperature by robust loss, \(fixed($0, digits: 3))")] } ?? [])
  }

  private var histogramTable: Table {
    let parts = (0..<Self.histogramParts).filter { part in histograms.contains { $0.histogram.counts[part] > 0 } }
    return Table(
      "Tokens by temperature",
      columns: [.text("temperature")] + histograms.map { .number($0.policy.name) },
      rows: parts.map { part in
        [temperature(histograms[0].histogram.bounds(part))] + histograms.map { "\($0.histogram.counts[part])" }
      })
  }

  // MARK: Densities

  /// The temperature against the entropy for all, against the exact optimum for TempNets.
  private var densities: [Figure] {
    let entropy = Axis("entropy at temperature 1, nats", covering: scores.entropy.lazy.map(Double.init))
    let followers = varied.filter { $0.kind != .fixed }
    return followers.filter { $0.kind == .tempnet }.flatMap { policy in
      [againstEntropy(policy, entropy)] + (exact.map { [againstExact(policy, $0)] } ?? [])
    } + followers.filter { $0.kind == .exact }.prefix(1).map { againstEntropy($0, entropy) }
  }

  private func againstEntropy(_ policy: PolicyScores, _ entropy: Axis) -> Figure {
    let correlation = metrics.policies.first { $0.name == policy.name }?.entropyCorrelation
    return density(
      "\(policy.title.capitalised) against the entropy", x: scores.entropy, entropy, y: policy.temperature,
      temperatureAxis, correlation, diagonal: false)
  }

  private func againstExact(_ policy: PolicyScores, _ exact: PolicyScores) -> Figure {
    let correlation = metrics.policies.first { $0.name == policy.name }?.exactCorrelation
    let axis = Axis("exact optimum", covering: temperatureAxis.range)
    return density(
      "\(policy.title.capitalised) against the exact optimum", x: exact.temperature, axis, y: policy.temperature,
      temperatureAxis, correlation, diagonal: true)
  }

  private func density(
    _ title: String, x: [Float], _ horizontal: Axis, y: [Float], _ vertical: Axis, _ correlation: Correlation?,
    diagonal: Bool
  ) -> Figure {
    let grid = DensityGrid(of: x, and: y, in: horizontal.range, vertical.range, columns: Self.columns, rows: Self.rows)
    let shades = grid.shades(Self.shades)
    var plot = Plot(x: horizontal, y: vertical)
    plot.cells(grid.levels(shades))
    if diagonal { plot.diagonal() }
    plot.line(Trend(of: y, along: x).groups.map { (x: $0.middle, y: $0.median) }, style: 2)
    let figures = [("r", correlation?.pearson), ("rank r", correlation?.spearman)].compactMap { name, value in
      value.map { "\(name) = \(readable($0, digits: 3))" }
    }
    return Figure(
      title, plot.svg(label: "Density of tokens: \(title)"),
      keys: [.shades(shades, "tokens or more"), .line("median", style: 2)] + (diagonal ? [.rule("equal")] : []),
      note: figures.isEmpty ? nil : "Correlation \(figures.joined(separator: ", ")).")
  }

  private var trends: [Table] {
    let byEntropy = varied.filter { $0.kind != .fixed }.map { policy in
      trend("Temperature of \(policy.name) by entropy", "entropy", Trend(of: policy.temperature, along: scores.entropy))
    }
    let byExact = varied.filter { $0.kind == .tempnet }.flatMap { policy in
      exact.map {
        [
          trend(
            "Temperature of \(policy.name) by exact optimum", "exact",
            Trend(of: policy.temperature, along: $0.temperature))
        ]
      } ?? []
    }
    return byEntropy + byExact
  }

  private func trend(_ title: String, _ quantity: String, _ trend: Trend) -> Table {
    Table(
      title, columns: [.text(quantity), .number("tokens"), .number("5 %"), .number("50 %"), .number("95 %")],
      rows: trend.groups.map { group in
        [temperature(group.range), "\(group.count)"]
          + [group.low, group.median, group.high].map { readable($0, digits: 3) }
      })
  }

  private func temperature(_ range: ClosedRange<Double>) -> String {
    "\(readable(range.lowerBound, digits: 3)) to \(readable(range.upperBound, digits: 3))"
  }
}
