/// Rows under headings: what a terminal and a page both show.
public struct Table: Equatable, Sendable {
  public struct Column: Equatable, Sendable {
    let heading: String
    /// Numbers stand right-aligned.
    let isNumber: Bool

    static func text(_ heading: String) -> Column { Column(heading: heading, isNumber: false) }
    static func number(_ heading: String) -> Column { Column(heading: heading, isNumber: true) }
  }

  let title: String
  let columns: [Column]
  let rows: [[String]]

  init(_ title: String, columns: [Column], rows: [[String]]) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "\(title): a row is not as long as the heading")
    self.title = title
    self.columns = columns
    self.rows = rows
  }

  /// Aligned columns, two blanks between them, no blanks at the ends of lines.
  public var text: String {
    let lines = [columns.map(\.heading)] + rows
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
