/// The elements that pages are made of.
extension HTML {
  /// A section with a heading. `id` makes it one that links can lead to.
  public static func section(_ title: String, id: String? = nil, _ content: HTML...) -> HTML {
    let attribute: HTML = id.map { " id=\"\($0)\"" } ?? .empty
    return "<section\(attribute)>\n<h2>\(title)</h2>\n\(content.filter { !$0.isEmpty })\n</section>"
  }

  public static func heading(_ title: String) -> HTML { "<h3>\(title)</h3>" }
  public static func paragraph(_ text: String) -> HTML { "<p>\(text)</p>" }
  public static func list(_ items: [String]) -> HTML { "<ul>\n\(items.map { "<li>\($0)</li>" as HTML })\n</ul>" }
  public static func preformatted(_ text: String) -> HTML { "<pre>\(text)</pre>" }

  /// Terms and what they mean.
  public static func definitions(_ entries: [(term: String, meaning: String)]) -> HTML {
    "<dl>\n\(entries.map { "<dt>\($0.term)</dt><dd>\($0.meaning)</dd>" as HTML })\n</dl>"
  }

  /// Figures that are to be seen first, each with what it is.
  public static func cards(_ entries: [(figure: String, meaning: String)]) -> HTML {
    let cards: [HTML] = entries.map { "<div><strong>\($0.figure)</strong><span>\($0.meaning)</span></div>" }
    return "<div class=\"cards\">\n\(cards)\n</div>"
  }

  /// Details for interested readers. They open without scripts, and are always open in print.
  public static func details(_ summary: String, _ content: HTML...) -> HTML {
    "<details><summary>\(summary)</summary>\n\(content)\n</details>"
  }

  /// A piece that leads to another page, or to a section of this one. The target is a path made of plain names, which is
  /// percent-encoded here.
  public static func link(_ text: String, to target: String) -> HTML {
    "<a href=\"\(percentEncoded(target))\">\(text)</a>"
  }

  public static func table(_ table: Table) -> HTML {
    func cells(_ cells: [Table.Cell], _ element: HTML, _ attributes: HTML = .empty) -> [HTML] {
      zip(cells, table.columns).map { cell, column in
        // Sentences break; names and numbers do not.
        let isSentence = cell.text.count > Table.longestName && cell.text.contains(" ")
        let kind: HTML = column.isNumber ? " class=\"number\"" : isSentence ? " class=\"wide\"" : ""
        let note: HTML = cell.note.map { "<small>\($0)</small>" } ?? .empty
        let content: HTML = cell.target.map { .link(cell.text, to: $0) } ?? "\(cell.text)"
        return "<\(element)\(attributes)\(kind)>\(content)\(note)</\(element)>"
      }
    }
    let heading = HTML(cells(table.columns.map { Table.Cell($0.heading) }, "th", " scope=\"col\""), separator: "")
    let rows: [HTML] = table.rows.map { "<tr>\(HTML(cells($0, "td"), separator: ""))</tr>" }
    // A table may be wider than a narrow screen; then it scrolls by itself, also from the keyboard.
    return """
      <div class="table" role="region" aria-label="\(table.title)" tabindex="0"><table>
      <thead><tr>\(heading)</tr></thead>
      <tbody>
      \(rows)
      </tbody>
      </table></div>
      """
  }

  /// Everything but letters, digits and what paths are made of becomes `%` and two digits.
  private static func percentEncoded(_ target: String) -> String {
    target.utf8.map { byte in
      let character = Character(Unicode.Scalar(byte))
      if byte < 128 && (character.isLetter || character.isNumber || "-_./#".contains(character)) {
        return String(character)
      }
      return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
  }
}
