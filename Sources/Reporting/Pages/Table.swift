/// Rows under headings: what a terminal and a page both show.
public struct Table: Equatable, Sendable {
  public struct Column: Equatable, Sendable {
    public let heading: String
    /// Numbers stand right-aligned.
    public let isNumber: Bool

    public static func text(_ heading: String) -> Column { Column(heading: heading, isNumber: false) }
    public static func number(_ heading: String) -> Column { Column(heading: heading, isNumber: true) }
  }

  public struct Cell: Equatable, Sendable, ExpressibleByStringInterpolation {
    public let text: String
    /// A second, smaller line on a page; a terminal leaves it out.
    public let note: String?
    /// Where a page's reader gets to from here.
    public let target: String?

    public init(_ text: String, note: String? = nil, target: String? = nil) {
      self.text = text
      self.note = note
      self.target = target
    }

    public init(stringLiteral value: String) { self.init(value) }
  }

  /// Characters beyond which a text with blanks is broken into lines on a page.
  static let longestName = 36

  public let title: String
  public let columns: [Column]
  public let rows: [[Cell]]

  public init(_ title: String, columns: [Column], rows: [[Cell]]) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "\(title): a row is not as long as the heading")
    self.title = title
    self.columns = columns
    self.rows = rows
  }

  public init(_ title: String, columns: [Column], rows: [[String]]) {
    self.init(title, columns: columns, rows: rows.map { $0.map { Cell($0) } })
  }

  /// Aligned columns, two blanks between them, no blanks at the ends of lines.
  public var text: String {
    let lines = [columns.map(\.heading)] + rows.map { $0.map(\.text) }
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      let padded = zip(zip(cells, columns), widths).map { cell, width in
        let blanks = String(repeating: " ", count: width - cell.0.count)
        return cell.1.isNumber ? blanks + cell.0 : cell.0 + blanks
      }
      let line = padded.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}
