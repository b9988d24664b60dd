import Testing

@testable import Pages

@Suite struct HTMLTests {
  @Test func `what is put into a literal is escaped, unless it is a piece of a page`() {
    let text = "<a href=\"x\">'&'</a>"
    let piece: HTML = "<td title=\"\(text)\">\(text)</td>"
    let wanted = "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"
    #expect(piece.markup == "<td title=\"\(wanted)\">\(wanted)</td>")
    let row: HTML = "<tr>\(piece)\([piece, piece])\(7)</tr>"
    #expect(row.markup == "<tr>\(piece.markup)\(piece.markup)\n\(piece.markup)7</tr>")
  }

  @Test func `characters that no page may hold are replaced`() {
    let piece: HTML = "\("a\0b\u{1B}c\u{85}d\te\nf é")"
    #expect(piece.markup == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\te\nf é")
  }

  @Test func `links are percent-encoded, so that no name leads elsewhere or out of its attribute`() {
    #expect(HTML.link("a", to: "runs/a b\"é").markup == "<a href=\"runs/a%20b%22%C3%A9\">a</a>")
    #expect(HTML.link("a", to: "javascript:x").markup.contains("javascript%3Ax"))
    #expect(HTML.link("a", to: "#part-1").markup == "<a href=\"#part-1\">a</a>")
  }

  @Test func `cells of tables show notes and links, and everything that opens closes`() throws {
    let table = Table(
      "T", columns: [.text("name"), .number("value")],
      rows: [[Table.Cell("<a>", target: "x/y.html"), Table.Cell("1", note: "0 to 2")]])
    let markup = HTML.table(table).markup
    #expect(
      markup.contains("<td><a href=\"x/y.html\">&lt;a&gt;</a></td><td class=\"number\">1<small>0 to 2</small></td>"))
    #expect(markup.contains("<th scope=\"col\">name</th><th scope=\"col\" class=\"number\">value</th>"))
  }

  @Test func `a table is aligned on a terminal, without blanks at the ends of lines and without notes`() {
    let table = Table(
      "T", columns: [.text("name"), .number("value"), .text("note")],
      rows: [[Table.Cell("a", note: "hidden"), "1.5", ""], ["long", "10.25", "x"]])
    #expect(table.text == "name  value  note\na       1.5\nlong  10.25  x")
  }

  @Test func `a page loads nothing and allows nothing to be loaded`() {
    let page = Page(title: "<t>", sections: [.section("A & B", id: "a", .paragraph("x")), .empty]).text
    #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    #expect(page.contains("<title>&lt;t&gt;</title>") && page.contains("<h2>A &amp; B</h2>"))
    #expect(page.contains("default-src 'none'") && page.contains("prefers-color-scheme: dark"))
    for reference in ["http:", "https:", "src=", "@import", "url(", "<script"] { #expect(!page.contains(reference)) }
  }
}

@Suite struct PictureTests {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ]) func `base64 is that of RFC 4648`(text: String, encoded: String) {
    #expect(base64(Array(text.utf8)) == encoded)
  }

  @Test func `a card reads its title out and escapes it`() {
    let card = HTML.pictureCard([1, 2, 3], title: "a \"<b>\"", lines: ["x"], absence: "").markup
    #expect(card.contains("alt=\"a &quot;&lt;b&gt;&quot;\"") && card.contains("base64,AQID\""))
    #expect(HTML.pictureCard(nil, title: "t", lines: [], absence: "not shown").markup.contains("not shown"))
  }
}
