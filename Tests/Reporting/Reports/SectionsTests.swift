import JSON
import Pages
import Reports
import Testing

@Suite struct SectionsTests {
  private let context = ReportContext(
    facts: [ReportContext.Fact("<fact>", "1 & 2")],
    inputs: [ReportContext.Input(name: "<input>", kind: "model", key: "0123", bytes: nil)],
    sources: [ReportContext.Source(name: "<emoji>", licence: "a \"licence\"", origin: "a shelf")],
    configuration: ["<seed>": 1])

  private func text(_ sections: [Report.Section]) -> String {
    Report(title: "t", heading: "h", headline: "l", cards: [], sections: sections).page.text
  }

  @Test func `whatever comes from outside is escaped`() {
    let splits = Table("Splits", columns: [.text("split")], rows: [["<train>"]])
    let page = text([
      .origin(context, sources: "Pictures", source: "set", splits: splits), .configuration(context),
    ])
    for raw in ["<fact>", "<input>", "<emoji>", "<train>", "<seed>", "\"licence\""] { #expect(!page.contains(raw)) }
    for shown in ["<h3>Pictures</h3>", "<td>&lt;train&gt;</td>", "<dt>&lt;fact&gt;</dt><dd>1 &amp; 2</dd>"] {
      #expect(page.contains(shown))
    }
  }

  @Test func `tables without rows and sections without content are left out`() {
    let empty = Table("Splits", columns: [.text("split")], rows: [] as [[String]])
    let page = text([.origin(context, sources: "Texts", source: "text", splits: empty), .training(context)])
    #expect(!page.contains("Splits") && !page.contains("id=\"training\"") && page.contains("href=\"#origin\""))
  }

  /// Fails where a member has another name or place than FORMAT.md gives it.
  @Test func `members of a metrics file read back`() throws {
    let members = JSONObject(context.members)
    #expect(members.map(\.key) == ["inputs", "sources", "facts", "configuration"])
    #expect(members["inputs"] == [["name": "<input>", "kind": "model", "key": "0123", "bytes": .null]])
    #expect(members["facts"] == ["<fact>": "1 & 2"])
    let source = try #require(members["sources"]?.arrayValue?.first)
    #expect(ReportContext.Source(source) == context.sources[0])
    #expect(ReportContext.Source([:]).licence == "not stated")
  }
}
