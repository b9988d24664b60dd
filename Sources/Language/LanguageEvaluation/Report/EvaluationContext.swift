import Pages
import Reports

/// The facts that the report of an evaluation on text needs in addition to its numbers.
public struct EvaluationContext: Sendable {
  /// One part of the text: `train`.
  public struct Split: Equatable, Sendable {
    public let name: String
    public let extent: TextExtent

    public init(name: String, extent: TextExtent) {
      self.name = name
      self.extent = extent
    }
  }

  public var origin: ReportContext
  public var splits: [Split]
  /// The name of the policy that the report is about.
  public var leading: String
  public var passage: Passage?

  public init(_ origin: ReportContext, splits: [Split] = [], leading: String, passage: Passage? = nil) {
    self.origin = origin
    self.splits = splits
    self.leading = leading
    self.passage = passage
  }

  var splitTable: Table {
    Table(
      "Splits",
      columns: [.text("split"), .number("documents"), .number("tokens"), .number("words"), .number("bytes")],
      rows: splits.map { split in
        let extent = split.extent
        return [split.name] + [extent.documents, extent.tokens, extent.words, extent.bytes].map { "\($0)" }
      })
  }
}
