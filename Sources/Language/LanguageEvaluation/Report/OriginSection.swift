import Diagnostics
import Pages

/// What the numbers come from: texts, their splits, and the artifacts that were read.
struct OriginSection {
  let context: ReportContext

  var content: [HTML] {
    let tables = [sources, splits, inputs].filter { !$0.rows.isEmpty }
    return tables.flatMap { [.heading($0.title), .table($0)] }
  }

  private var sources: Table {
    Table(
      "Texts", columns: [.text("text"), .text("licence"), .text("source")],
      rows: context.sources.map { [$0.name, $0.licence, $0.origin] })
  }

  private var splits: Table {
    Table(
      "Splits",
      columns: [.text("split"), .number("documents"), .number("tokens"), .number("words"), .number("bytes")],
      rows: context.splits.map { split in
        let extent = split.extent
        return [split.name] + [extent.documents, extent.tokens, extent.words, extent.bytes].map { "\($0)" }
      })
  }

  private var inputs: Table {
    Table(
      "Artifacts that were read",
      columns: [.text("input"), .text("kind"), .number("size"), .text("key")],
      rows: context.inputs.map { input in
        [input.name, input.kind, input.bytes.map { byteSize($0) } ?? "–", input.key]
      })
  }
}
