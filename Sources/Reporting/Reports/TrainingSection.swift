import Diagnostics
import Pages

/// How something was trained: a chart for each quantity, from what its artifact keeps.
public struct TrainingSection {
  let history: TrainingHistory

  public init(history: TrainingHistory) { self.history = history }

  /// As many points as a chart can show apart.
  private static let chartPoints = 240
  private static let tableRows = 24
  private static let (training, validation) = ("training", "validation")

  public var content: [HTML] {
    guard !history.series.isEmpty else { return [] }
    return [
      .heading("Training of \(history.subject)"), .figures(measured + others),
      .details("The validations as a table", .table(table(of: Self.validation))),
      .details("The training steps as a table", .table(table(of: Self.training))),
    ]
  }

  /// The measurements during training, and on the validation split.
  private var measured: [Figure] {
    var names: [String] = []
    for series in history.series
    where [Self.training, Self.validation].contains(series.section) && !names.contains(series.name)
      && isWorthShowing(series)
    {
      names.append(series.name)
    }
    var shown: [[[TrainingHistory.Point]]] = []
    return names.compactMap { name in
      let pair = [Self.training, Self.validation].map { history.series($0, name) }
      let points = pair.map { $0?.points ?? [] }
      // A loss may be the very quantity that is listed again under its own name.
      guard !shown.contains(points) else { return nil }
      shown.append(points)
      return chart(
        words(name), [(Self.training, pair[0], false), (Self.validation, pair[1], true)], unit: words(name))
    }
  }

  /// Rates and norms: a chart for each section.
  private var others: [Figure] {
    var sections: [String] = []
    for series in history.series
    where ![Self.training, Self.validation].contains(series.section) && !sections.contains(series.section) {
      sections.append(series.section)
    }
    return sections.map { section in
      chart(
        words(section), history.series.filter { $0.section == section }.map { (words($0.name), $0, false) },
        unit: words(section))
    }
  }

  /// Numbers that stayed at zero have no curve, nor have bits per byte, which only repeat the cross-entropy in another
  /// unit.
  private func isWorthShowing(_ series: TrainingHistory.Series) -> Bool {
    !series.name.hasSuffix("bits_per_byte") && series.points.contains { $0.value != 0 }
  }

  private func chart(
    _ title: String, _ curves: [(name: String, series: TrainingHistory.Series?, isDotted: Bool)], unit: String
  ) -> Figure {
    let curves = curves.enumerated().compactMap { index, curve in
      curve.series.map { series in
        (
          name: curve.name, style: index + 1, isDotted: curve.isDotted,
          points: series.thinned(to: Self.chartPoints).map { (x: Double($0.step), y: $0.value) }
        )
      }
    }
    let all = curves.flatMap(\.points)
    var plot = Plot(x: Axis("step", covering: all.map(\.x) + [0]), y: Axis(unit, covering: all.map(\.y)))
    for curve in curves {
      plot.line(curve.points, style: curve.style)
      // More marks than this only hide the line.
      if curve.isDotted && curve.points.count <= 40 { plot.dots(curve.points, style: curve.style) }
    }
    return Figure(
      title.capitalised, plot.svg(label: "\(title) along the steps of training \(history.subject)"),
      keys: curves.map { .line($0.name, style: $0.style) })
  }

  private func table(of section: String) -> Table {
    let series = history.series.filter { $0.section == section }
    var steps: [Int] = []
    for point in series.flatMap(\.points) where !steps.contains(point.step) { steps.append(point.step) }
    let values = series.map { series in
      Dictionary(series.points.map { ($0.step, $0.value) }, uniquingKeysWith: { $1 })
    }
    return Table(
      "\(section.capitalised) of \(history.subject)",
      columns: [.number("step")] + series.map { .number(words($0.name)) },
      rows: spread(steps).map { step in ["\(step)"] + values.map { $0[step].map(fourDigits) ?? "–" } })
  }

  /// Some of many steps, evenly, the last one among them.
  private func spread(_ steps: [Int]) -> [Int] {
    guard steps.count > Self.tableRows else { return steps }
    return (1...Self.tableRows).map { steps[$0 * steps.count / Self.tableRows - 1] }
  }

  private func words(_ name: String) -> String { name.replacing("_", with: " ") }
}
