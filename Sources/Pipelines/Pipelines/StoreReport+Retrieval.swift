import Artifacts
import Diagnostics
import Pages
import Reports

extension StoreReport {
  /// The retrieval results of all runs, with a row for each test split.
  var retrievals: HTML {
    let rows = measured(.retrieval).flatMap(rows)
    guard !rows.isEmpty else { return .empty }
    let table = Table(
      "Retrieval side by side",
      columns: [
        .text("run"), .text("report"), .text("split"), .text("loss"), .number("mean recall"), .number("difference"),
        .text("verdict"), .number("pictures"), .number("models"),
      ], rows: rows)
    return .section(
      "Retrieval side by side",
      .paragraph(
        "The loss other than CLIP with the best validation, and below its figures those of CLIP at its best fixed "
          + "temperature; means over seeds. The reports have the intervals."), .table(table))
  }

  private func rows(_ measured: Measured) -> [[Table.Cell]] {
    let summary = RetrievalSummary(measured.manifest.summary)
    return summary.splits.map { split in
      links(measured) + [
        Table.Cell(split.name), Table.Cell(summary.leading ?? "–", note: summary.reference),
        Table.Cell(split.meanRecall.map(percent) ?? "–", note: split.referenceRecall.map(percent)),
        Table.Cell(split.difference.map { readable($0 * 100, digits: 1) + " points" } ?? "–"),
        Table.Cell(split.verdict ?? "–"), Table.Cell("\(split.pictures)"),
        Table.Cell(summary.runs.map(String.init) ?? "–"),
      ]
    }
  }
}
