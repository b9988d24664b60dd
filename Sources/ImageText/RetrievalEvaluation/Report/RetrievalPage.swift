import Diagnostics
import Pages
import Pairs
import Reports
import Statistics

extension RetrievalReport {
  /// The report for people, as one page that needs nothing beside it.
  public var page: String {
    let sections: [Report.Section] = [
      Report.Section("Recall", id: "recall", recallSection),
      Report.Section("Comparisons", id: "comparisons", comparisonSection),
      Report.Section("Tuning", id: "tuning", tuningSection),
      Report.Section("Zero-shot", id: "zero-shot", zeroShotSection),
      Report.Section("Probabilities", id: "probabilities", probabilitySection),
      Report.Section("Neighbours", id: "neighbours", NeighbourSection(report: self).content),
      Report.Section("Temperatures", id: "temperatures", TemperatureStudySection(report: self).content),
      .training(context),
      .origin(context, sources: "Pictures", source: "collection", splits: RetrievalTables(report: self).splits),
      .configuration(context),
    ]
    return Report(
      title: "tempnet: retrieval", heading: "Retrieval of pictures and captions", headline: headline, cards: cards,
      sections: sections
    ).page.text
  }

  private var cards: [(figure: String, meaning: String)] {
    let leading = study.leading
    let recalls = study.tests.map { set in
      let values = study.values(.meanRecall, of: leading, on: set.split)
      return (
        figure: fixed(values.reduce(0, +) / Double(values.count) * 100, digits: 1),
        meaning: "mean recall of \(leading.name) on \(set.split.name), percent"
      )
    }
    return recalls + [(figure: "\(study.runs.count)", meaning: "models of \(counted(study.arms.count, "setting"))")]
  }

  private var recallSection: [HTML] {
    let tables = RetrievalTables(report: self)
    var content: [HTML] = []
    for set in study.tests {
      let table = tables.recalls(on: set)
      content += [.heading(table.title), .table(table), .paragraph(extent(set))]
    }
    if let missingNote { content.append(.paragraph(missingNote)) }
    content += [.paragraph(Self.recallNote), .figures(study.tests.flatMap(curves))]
    for set in study.sets where !set.split.isTest {
      let table = tables.recalls(on: set)
      content.append(.details("\(table.title), by which settings were chosen", .table(table)))
    }
    return content
  }

  private func extent(_ set: RetrievalSet) -> String {
    let metrics = study.runs[0].results[set.split]?.metrics
    let without = RetrievalDirection.allCases.map { metrics?[$0].withoutOwn ?? 0 }.reduce(0, +)
    return "\(counted(set.pictures.count, "picture")) and \(counted(set.captions.count, "caption")) in "
      + "\(counted(set.clusters.count, "cluster")) of what belongs together; "
      + "\(counted(without, "query").replacing("querys", with: "queries")) without a candidate of their own left out."
  }

  private static let recallNote =
    "R@k is the share of queries, in percent, with one of their own candidates among the first k; i2t searches captions "
    + "for a picture, t2i pictures for a caption. Of equal scores the lower index comes first; ties are queries for which "
    + "another candidate has the score of their own best one. Mean recall is the mean of the six. Median ranks and ties "
    + "are those of the first seed, both directions."

  /// Recall along k of CLIP's references and the best others by validation, means over seeds.
  private func curves(on set: RetrievalSet) -> [Figure] {
    let rivals = study.chosen.filter { arm in !study.references.contains { $0.name == arm.name } }
    let order = rivals.sorted { validation($0) > validation($1) }
    let shown = Array((study.references + order).prefix(4))
    return RetrievalDirection.allCases.map { direction in
      let depths = Self.curveDepths.filter {
        $0 <= max(10, (direction == .imageToText ? set.captions : set.pictures).count)
      }
      let curves = shown.map { arm in
        depths.map { k in (x: Double(k), y: mean(study.values(.recall(direction, k), of: arm, on: set.split)) * 100) }
      }
      var plot = Plot(
        x: Axis("k", covering: depths.map(Double.init) + [0]),
        y: Axis("recall, %", covering: curves.joined().map(\.y) + [0]))
      for (index, curve) in curves.enumerated() { plot.line(curve, style: index + 1) }
      return Figure(
        "\(direction.words.capitalised) on \(set.split.name)",
        plot.svg(label: "Recall at k, \(direction.words), on \(set.split.name)"),
        keys: shown.enumerated().map { .line($1.name, style: $0 + 1) })
    }
  }

  private static let curveDepths = [1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50]

  private func validation(_ arm: RetrievalStudy.Arm) -> Double {
    study.tried.lazy.flatMap(\.trials).first { $0.setting == arm.name }?.score ?? 0
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

  // MARK: Comparisons

  private var comparisonSection: [HTML] {
    guard !comparisons.isEmpty else { return [] }
    let tables = RetrievalTables(report: self)
    return [.list(findings), .paragraph(comparisonNote), .figures(study.tests.flatMap { forests(on: $0.split) })]
      + study.tests.flatMap { set in
        let table = tables.comparisons(on: set.split)
        let details = [tables.seeds(on: set.split), tables.metrics(on: set.split)]
        return [HTML.heading(table.title), .table(table)] + details.map { HTML.details($0.title, .table($0)) }
      }
  }

  private var comparisonNote: String {
    let fewest = study.tests.map(\.clusters.count).min() ?? 0
    let warning =
      fewest < Clusters.fewestReliable
      ? " With fewer than \(Clusters.fewestReliable) clusters the intervals hold the truth less often than they say."
      : ""
    return
      "Two kinds of chance are kept apart. Within a seed both models answer the same queries, and the interval says how "
      + "much the queries matter: \(settings.resamples) resamples of clusters, \(wholePercent(settings.confidence)) "
      + "intervals that hold for all comparisons of the split and metric at once. Over seeds the interval is that of the "
      + "paired differences, and says how much a training run matters. The verdict is that of every seed: better or worse "
      + "where the simultaneous interval excludes zero, equivalent where the \(wholePercent(2 * settings.confidence - 1)) "
      + "interval lies within \(fixed(settings.margin * 100, digits: 1)) points, otherwise undecided. Detectable is the smallest true difference "
      + "that a test of this size finds in four of five cases." + warning
  }

  private func forests(on split: PairSplit) -> [Figure] {
    study.references.compactMap { reference in
      let own = headComparisons.filter { $0.split == split && $0.reference == reference.name }
      let rows = own.flatMap { comparison in
        comparison.seeds.map { seed in
          let interval = seed.comparison.simultaneous.scaled(by: 100)
          return SpanChart.Row(
            comparison.arm + (seed.seed.map { ", seed \($0)" } ?? ""), note: fixed(interval.estimate, digits: 1),
            range: interval.low...interval.high, mark: interval.estimate, isStrong: interval.excludesZero)
        }
      }
      guard !rows.isEmpty else { return nil }
      let axis = Axis(
        "mean recall less that of \(reference.name), points",
        covering: rows.flatMap { [$0.range.lowerBound, $0.range.upperBound] } + [0])
      return Figure(
        "Against \(reference.name) on \(split.name): more is better",
        SpanChart(axis, rows: rows, reference: 0).svg(
          label: "Differences in mean recall from \(reference.name) on \(split.name), with simultaneous intervals"),
        note: "Lines are simultaneous intervals; the mark is hollow where zero lies inside.")
    }
  }

  // MARK: Tuning, classes, probabilities

  private var tuningSection: [HTML] {
    guard !study.tried.isEmpty else { return [] }
    return [
      .table(RetrievalTables(report: self).tuning),
      .paragraph(
        "Of each loss the setting with the best mean recall on validation was chosen, and only that one is compared on the "
          + "tests. A reference that was tuned with fewer settings than its rival gets no verdict."),
    ]
  }

  private var zeroShotSection: [HTML] {
    let tables = study.tests.map { RetrievalTables(report: self).zeroShot(on: $0.split) }.filter { !$0.rows.isEmpty }
    guard !tables.isEmpty else { return [] }
    return tables.flatMap { [HTML.heading($0.title), .table($0)] } + [
      .paragraph(
        "A picture gets the class whose name is nearest: each name's sentences are embedded, scaled to unit length, "
          + "averaged, and scaled again. Mean per class is the mean recall of the classes that occur, in percent.")
    ]
  }

  private var probabilitySection: [HTML] {
    let tables = study.tests.map { RetrievalTables(report: self).probabilities(on: $0.split) }.filter {
      !$0.rows.isEmpty
    }
    guard !tables.isEmpty else { return [] }
    return [.paragraph(Self.probabilityNote)] + tables.flatMap { [HTML.heading($0.title), .table($0)] }
  }

  private static let probabilityNote =
    "No temperature of a query's own changes which candidates it finds: dividing all scores of a query by one number leaves "
    + "their order, so every recall and top-k accuracy of a row is the same at all its temperatures. Temperatures change "
    + "the probabilities in this table and, in training, the encoders. The loss is the negative logarithm of the "
    + "probability of a query's own candidates; ECE, the expected calibration error, compares the probability of the "
    + "likeliest candidate with how often it is an own one. Figures of the first seed."
}
