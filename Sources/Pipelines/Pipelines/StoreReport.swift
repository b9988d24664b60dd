import Artifacts
import Diagnostics
import Files
import JSON
import Pages
import Reports

/// All runs of a store on one page: their stages, durations and measurements, with links to their reports.
///
/// Times are shown here and not in the reports of evaluations, because these are part of artifacts, which must not
/// depend on the clock. The page depends on the store alone.
public struct StoreReport {
  private let store: Store
  private let runs: [RunRecord]
  /// The artifacts that runs name and that still exist, by their names.
  private let manifests: [String: Manifest]

  public init(_ store: Store) throws {
    self.store = store
    try store.checkExistence()
    runs = try store.runs()
    var manifests: [String: Manifest] = [:]
    for stage in runs.flatMap(\.stages) where manifests[stage.artifact] == nil && Files.isPlainRelative(stage.artifact)
    {
      let manifest = try? Manifest(of: "\(store.artifacts)/\(stage.artifact)")
      manifests[stage.artifact] = manifest?.key == stage.key ? manifest : nil
    }
    self.manifests = manifests
  }

  /// The path of the page. Its links are relative, so a store can be moved or served as it is.
  public static func path(in store: Store) -> String { "\(store.path)/index.html" }

  /// - Returns: the path of the page.
  public func write() throws -> String {
    let path = Self.path(in: store)
    try AtomicFile.write(text, to: path)
    return path
  }

  var text: String {
    let count = runs.count == 1 ? "One run" : "\(runs.count) runs"
    let pipelines = Set(runs.map(\.label)).count
    let head: HTML = """
      <h1>Runs of this store</h1>
      <p class="lead">\(count) of \(pipelines == 1 ? "one pipeline" : "\(pipelines) pipelines"), the latest first. \
      A run that found every result already there leaves no record. All times are UTC.</p>
      """
    return Page(
      title: "tempnet: runs",
      sections: [head, comparison, retrievals, .section("All runs", .table(overview))] + runs.map(section)
    ).text
  }

  // MARK: All runs

  private var overview: Table {
    Table(
      "All runs",
      columns: [
        .text("run"), .text("pipeline"), .text("state"), .number("took"), .text("stages that ran"),
        .number("size of results"),
        .text("release"),
      ],
      rows: runs.map { run in
        let ran = run.stages.filter { $0.started != nil }
        let size = run.stages.compactMap { manifests[$0.artifact]?.size }.reduce(0, +)
        return [
          Table.Cell(time(run), target: "#\(anchor(run))"), Table.Cell(run.label, note: file(of: run)),
          Table.Cell(run.outcome.rawValue),
          Table.Cell(run.ended.map { clockTime($0 - run.started) } ?? "–"),
          Table.Cell(ran.isEmpty ? "none" : ran.map(\.name).joined(separator: ", ")),
          Table.Cell(byteSize(size)), Table.Cell(run.release),
        ]
      })
  }

  // MARK: What was measured

  /// A stage that measured something, and the summary of its results.
  struct Measured {
    let run: RunRecord
    let stage: RunRecord.Stage
    let manifest: Manifest

    fileprivate var report: String? { manifest.files.map(\.path).first { $0.hasSuffix(".html") } }
  }

  /// The results of a kind, run by run.
  func measured(_ kind: ArtifactKind) -> [Measured] {
    runs.flatMap { run in
      run.stages.compactMap { stage in
        guard stage.state != .leftOut, let manifest = manifests[stage.artifact], manifest.kind == kind.name else {
          return nil
        }
        return Measured(run: run, stage: stage, manifest: manifest)
      }
    }
  }

  /// Links to the run and to its report.
  func links(_ measured: Measured) -> [Table.Cell] {
    [
      Table.Cell(time(measured.run), note: measured.run.label, target: "#\(anchor(measured.run))"),
      measured.report.map {
        Table.Cell(measured.stage.name, target: "artifacts/\(measured.stage.artifact)/\($0)")
      } ?? Table.Cell(measured.stage.name),
    ]
  }

  private var comparison: HTML {
    let rows = measured(.evaluation).map(row)
    guard !rows.isEmpty else { return .empty }
    let table = Table(
      "Results side by side",
      columns: [
        .text("run"), .text("report"), .text("policy"), .number("gap closed"), .number("robust loss"),
        .number("bits/byte"),
        .number("Brier"), .number("ECE"), .number("mean temperature"), .number("test tokens"),
      ], rows: rows)
    return .section(
      "Results side by side",
      .paragraph(
        "The main policy of each evaluation, and below its figures those of temperature 1 on the same tokens. "
          + "Figures of runs whose tokens, vocabulary or rho differ cannot be compared with each other; the reports have "
          + "the intervals."), .table(table))
  }

  private func row(_ measured: Measured) -> [Table.Cell] {
    let summary = EvaluationSummary(measured.manifest.summary)
    func cell(
      _ member: (EvaluationSummary.Policy) -> Double?, _ write: (Double) -> String, isCompared: Bool = true
    ) -> Table.Cell {
      guard let value = summary.leading.flatMap(member) else { return Table.Cell("–") }
      let other = isCompared ? summary.policies.first.flatMap(member) : nil
      return Table.Cell(write(value), note: other.map(write))
    }
    return links(measured) + [
      Table.Cell(summary.leading?.name ?? "–", note: summary.policies.first?.name),
      cell(\.gapClosed, percent, isCompared: false), cell(\.robustLoss, fourDigits), cell(\.bitsPerByte, fourDigits),
      cell(\.brier, fourDigits), cell(\.expectedCalibrationError, percent), cell(\.meanTemperature, fourDigits),
      Table.Cell(summary.tokens.map { "\($0)" } ?? "–"),
    ]
  }

  // MARK: One run

  private func section(_ run: RunRecord) -> HTML {
    let facts: [(String, String)] = [
      ("state", run.outcome.rawValue), ("began", calendarTime(run.started).replacing("T", with: " ")),
      ("took", run.ended.map { clockTime($0 - run.started) } ?? "it was killed, or still works"),
    ]
    return .section(
      "\(run.label), \(time(run))", id: anchor(run),
      .definitions(facts.map { (term: $0.0, meaning: $0.1) }), .figures(timeline(run).map { [$0] } ?? []),
      .table(stages(run)))
  }

  private func stages(_ run: RunRecord) -> Table {
    Table(
      "Stages of \(time(run))",
      columns: [
        .text("stage"), .text("state"), .number("time"), .number("attempts"), .text("why it ran"), .number("size"),
        .text("result"), .text("log"),
      ],
      rows: run.stages.map { stage in
        let manifest = manifests[stage.artifact]
        let log = "runs/\(run.label)/\(Files.name(of: run.path))/\(stage.name).log"
        return [
          Table.Cell(stage.name, note: stage.stage), Table.Cell(stage.state.rawValue),
          Table.Cell(stage.seconds.map(duration) ?? "–"), Table.Cell(stage.attempts > 0 ? "\(stage.attempts)" : "–"),
          Table.Cell(stage.reason ?? "–"), Table.Cell(manifest.map { byteSize($0.size) } ?? "–"),
          manifest == nil
            ? Table.Cell("not there") : Table.Cell(stage.artifact, target: "artifacts/\(stage.artifact)"),
          Files.exists("\(store.path)/\(log)") ? Table.Cell("log", target: log) : Table.Cell("–"),
        ]
      })
  }

  /// The time of each stage's work, from the start of the run.
  private func timeline(_ run: RunRecord) -> Figure? {
    let rows = run.stages.compactMap { stage -> (stage: RunRecord.Stage, range: ClosedRange<Double>)? in
      guard let started = stage.started, let seconds = stage.seconds, seconds >= 0 else { return nil }
      // Also where the clock was set back, no stage begins before the run.
      let start = max(0, started - run.started)
      return (stage, start...start + seconds)
    }
    guard let last = rows.map(\.range.upperBound).max() else { return nil }
    let isLong = last > 180
    let unit = isLong ? 60.0 : 1
    let axis = Axis("\(isLong ? "minutes" : "seconds") since the start of the run", covering: 0...last / unit)
    let chart = SpanChart(
      axis,
      rows: rows.map { row in
        SpanChart.Row(
          row.stage.name, note: duration(row.stage.seconds ?? 0),
          range: row.range.lowerBound / unit...row.range.upperBound / unit)
      })
    return Figure("Time per stage", chart.svg(label: "When each stage worked; the times are in the table below"))
  }

  private func duration(_ seconds: Double) -> String {
    seconds < 10 ? "\(fixed(seconds, digits: 1))s" : clockTime(seconds)
  }
  private func time(_ run: RunRecord) -> String {
    String(calendarTime(run.started).replacing("T", with: " ").dropLast())
  }

  /// The file of a run's pipeline, if another pipeline has the same name.
  private func file(of run: RunRecord) -> String? {
    runs.contains { $0.pipeline == run.pipeline && $0.label != run.label } ? run.file : nil
  }

  /// Both parts have only characters that an anchor may have.
  private func anchor(_ run: RunRecord) -> String { "\(run.label)-\(Files.name(of: run.path))" }
}

extension Manifest {
  /// Of all files, in bytes.
  fileprivate var size: Int { files.reduce(0) { $0 + $1.size } }
}
