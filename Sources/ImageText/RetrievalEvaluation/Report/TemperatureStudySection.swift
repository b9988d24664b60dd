import Diagnostics
import Pages
import Pairs
import Statistics

/// The temperatures of queries: who has the lowest and the highest, and what they go with.
struct TemperatureStudySection {
  let report: RetrievalReport

  /// How many queries are shown at each end.
  static let shownAtEachEnd = 8

  var content: [HTML] {
    guard !report.temperatures.isEmpty else { return [] }
    return [.paragraph(Self.note), .table(correlations)] + report.temperatures.flatMap(content)
  }

  private static let note =
    "Temperatures in units of similarity. The exact one minimises the robust loss of a query over the candidates that are "
    + "not its own: at it the candidates' probabilities have the entropy ln n - rho. The frequency of a concept "
    + "counts the training pictures that show it; near candidates are those among the most similar hundredth of all pairs that do not belong together."

  private var correlations: Table {
    Table(
      "What temperatures go with (rank correlations)",
      columns: [
        .text("model"), .text("split"), .text("direction"), .text("temperatures"), .number("rho"), .number("5 %"),
        .number("50 %"), .number("95 %"), .number("with frequency"), .number("with near candidates"),
      ],
      rows: report.temperatures.map { study in
        let distribution = Distribution(of: study.temperatures)
        func quantile(_ fraction: Double) -> String {
          distribution.quantiles.first { $0.fraction == fraction }.map { fourDigits($0.value) } ?? "–"
        }
        return [
          study.run, study.split.name, study.direction.words, study.policy, fourDigits(study.rho), quantile(0.05),
          quantile(0.5), quantile(0.95), coefficient(study.frequencyCorrelation), coefficient(study.nearCorrelation),
        ]
      })
  }

  private func coefficient(_ correlation: Correlation) -> String {
    correlation.spearman.map { readable($0, digits: 2) } ?? "–"
  }

  private func content(_ study: TemperatureStudy) -> [HTML] {
    let title = "\(study.direction.words.capitalised) on \(study.split.name), \(study.policy)"
    return [.heading(title)] + extremes(study) + charts(study)
  }

  /// Concepts that were never trained on all have the frequency 0, and nothing goes with that.
  private func charts(_ study: TemperatureStudy) -> [HTML] {
    let near = chart(study, along: study.near, "near candidates")
    guard Set(study.frequencies).count > 1 else {
      return [
        .paragraph("No training picture shows a concept of these queries, or all concepts have equally many."),
        .figures([near]),
      ]
    }
    return [.figures([chart(study, along: study.frequencies, "training pictures of the concept"), near])]
  }

  private func extremes(_ study: TemperatureStudy) -> [HTML] {
    guard let set = report.study.sets.first(where: { $0.split == study.split }) else { return [] }
    let order = study.order
    let count = min(Self.shownAtEachEnd, order.count / 2)
    return [("lowest", Array(order.prefix(count))), ("highest", order.suffix(count).reversed())].flatMap {
      name, queries in
      [.paragraph("With the \(name) temperature:"), .shelf(queries.map { card($0, study, set) })]
    }
  }

  private func card(_ query: Int, _ study: TemperatureStudy, _ set: RetrievalSet) -> HTML {
    let note = fourDigits(Double(study.temperatures[query]))
    switch study.direction {
    case .imageToText: return report.gallery.card(set.pictures.positions[query], note: note)
    case .textToImage:
      return .textCard(report.gallery.table.captions[set.captions.positions[query]].text, note: note)
    }
  }

  private func chart(_ study: TemperatureStudy, along quantity: [Float], _ name: String) -> Figure {
    let trend = Trend(of: study.temperatures, along: quantity)
    let lines = [
      trend.groups.map { (x: $0.middle, y: $0.low) }, trend.groups.map { (x: $0.middle, y: $0.median) },
      trend.groups.map { (x: $0.middle, y: $0.high) },
    ]
    var plot = Plot(
      x: Axis(name, covering: trend.groups.map(\.middle)),
      y: Axis("temperature", covering: lines.joined().map(\.y)))
    plot.line(lines[0], style: 2)
    plot.line(lines[1], style: 1)
    plot.line(lines[2], style: 2)
    plot.dots(lines[1], style: 1)
    return Figure(
      "Temperature along \(name)",
      plot.svg(label: "Temperature along \(name), \(study.direction.words) on \(study.split.name)"),
      keys: [.line("median", style: 1), .line("5 % and 95 %", style: 2)],
      note: "Rank correlation \(coefficient(Correlation(of: study.temperatures, and: quantity))).")
  }
}

extension TemperatureStudy {
  /// The queries by their temperatures, the lowest first.
  public var order: [Int] { temperatures.indices.sorted { (temperatures[$0], $0) < (temperatures[$1], $1) } }

  /// The queries that a report shows: those with the lowest and the highest temperatures.
  public var extremes: [Int] {
    let count = min(TemperatureStudySection.shownAtEachEnd, order.count / 2)
    return Array(order.prefix(count)) + order.suffix(count)
  }
}
