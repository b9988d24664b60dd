import Diagnostics
import JSON
import Pages

extension Report.Section {
  /// Charts of how the inputs were trained.
  public static func training(_ context: ReportContext) -> Report.Section {
    Report.Section("Training", id: "training", context.histories.flatMap { TrainingSection(history: $0).content })
  }

  /// The origin of the numbers: data, their splits, and the artifacts that were read.
  ///
  /// - Parameters:
  ///   - sources: what the sources are: `Texts`.
  ///   - source: one of them: `text`.
  ///   - splits: how large the splits are, in the units of their kind.
  public static func origin(
    _ context: ReportContext, sources: String, source: String, splits: Table
  ) -> Report.Section {
    let data = Table(
      sources, columns: [.text(source), .text("licence"), .text("source")],
      rows: context.sources.map { [$0.name, $0.licence, $0.origin] })
    let inputs = Table(
      "Artifacts that were read",
      columns: [.text("input"), .text("kind"), .number("size"), .text("key")],
      rows: context.inputs.map { input in
        [input.name, input.kind, input.bytes.map { byteSize($0) } ?? "–", input.key]
      })
    let tables = [data, splits, inputs].filter { !$0.rows.isEmpty }
    return Report.Section("Data and origin", id: "origin", tables.flatMap { [.heading($0.title), .table($0)] })
  }

  /// The facts of the run and the stage's settings.
  public static func configuration(_ context: ReportContext) -> Report.Section {
    Report.Section(
      "Configuration", id: "configuration",
      [
        .definitions(context.facts.map { (term: $0.name, meaning: $0.value) }),
        .heading("The stage's configuration"), .preformatted(context.configuration.pretty),
        .paragraph(
          "How long a stage took is not part of its result: the same work has to give the same bytes. Times are in the "
            + "runner's records; tempnet-run report shows them for all runs of a store, with links to pages like this "
            + "one."),
      ])
  }
}
