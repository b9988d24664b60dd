import Artifacts
import Foundation
import Testing

@testable import Evaluation

struct ReportTests {
  let fixture: Fixture
  let metrics: Metrics

  init() throws {
    fixture = try Fixture()
    metrics = Metrics(fixture.scores, bootstrap: fixture.bootstrap)
  }

  @Test func aTableIsAlignedWithoutBlanksAtTheEnd() {
    let table = Table(
      "T", columns: [.text("name"), .number("value"), .text("note")],
      rows: [["a", "1.5", ""], ["long", "10.25", "x"]])
    #expect(table.text == "name  value  note\na       1.5\nlong  10.25  x")
  }

  @Test func sentencesSayWhichWayItWentAndWhetherTheIntervalExcludesZero() throws {
    let sentences = Findings(metrics).sentences
    let clear = try #require(sentences.first { $0.hasPrefix("Against policy <one>, policy <tempnet> lowers robust") })
    #expect(clear.contains("by 0.3443 nats per token (95 % interval of the difference -0.4476 to -0.2344)"))
    #expect(clear.hasSuffix("the interval excludes zero."))
    #expect(sentences.contains { $0.contains("policy <tempnet> closes 66.2 % (interval 63.7 % to 67.9 %)") })
    #expect(sentences.contains { $0.hasPrefix("Against policy <best-robust>, policy <tempnet>") })
  }

  @Test func aDifferenceThatMayBeNoneIsCalledThat() {
    var scores = fixture.scores
    scores.policies[2].crossEntropy = zip(scores.policies[0].crossEntropy, 0...).map {
      $0 + ($1 % 2 == 0 ? 0.01 : -0.01)
    }
    let sentences = Findings(Metrics(scores, bootstrap: fixture.bootstrap)).sentences
    #expect(
      sentences.contains {
        $0.contains("policy <tempnet> changes cross-entropy by") && $0.contains("the interval includes zero")
      })
  }

  @Test func aLossThatRisesIsNotHidden() {
    var scores = fixture.scores
    scores.policies[2].crossEntropy = scores.policies[0].crossEntropy.map { $0 + 1 }
    let sentences = Findings(Metrics(scores, bootstrap: fixture.bootstrap)).sentences
    #expect(sentences.contains { $0.contains("policy <tempnet> raises cross-entropy by 1.0000 nats") })
  }

  @Test func theTerminalReportFitsAWideTerminal() {
    let lines = TerminalReport.text(metrics).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.contains { $0.hasPrefix("tempnet          -0.4662") })
    let tables = lines.filter { line in (["policy "] + metrics.policies.map(\.name)).contains { line.hasPrefix($0) } }
    #expect(tables.count == 10 && tables.allSatisfy { $0.count <= 120 })
  }

  @Test func thePageEscapesWhateverComesFromOutside() {
    let page = HTMLReport.page(metrics, context: fixture.context)
    #expect(!page.contains("<script"))
    #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"))
    #expect(page.contains("policy &lt;tempnet&gt; lowers"))
    #expect(page.contains("<dt>context &lt;length&gt;</dt><dd>256 &amp; more</dd>"))
    #expect(page.contains("a &quot;shelf&quot;"))
    #expect(HTMLReport.escaped("<a href=\"x\">'&'</a>") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;")
  }

  @Test func thePageNeedsNothingBesideIt() {
    let page = HTMLReport.page(metrics, context: fixture.context)
    for reference in ["http://", "https://", "src=", "href=", "@import", "url("] { #expect(!page.contains(reference)) }
    #expect(page.contains("prefers-color-scheme: dark"))
  }

  @Test func everyElementThatOpensAlsoCloses() {
    let page = HTMLReport.page(metrics, context: fixture.context)
    var open: [String] = []
    for match in page.matches(of: /<(\/?)([a-z0-9]+)[^>]*>/) {
      let name = String(match.2)
      if ["meta"].contains(name) { continue }
      if match.1.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
    }
    #expect(open.isEmpty)
  }

  @Test func metricsFileHoldsWhatTheDocumentationSays() throws {
    let json = MetricsFile.json(metrics, context: fixture.context)
    #expect(json["schema_version"] == 1)
    #expect(
      json["policies"]!.arrayValue!.map { $0["name"]!.stringValue! } == ["one", "best-robust", "tempnet", "exact"])
    #expect(json["policies"]!.arrayValue![0]["correlation_with_entropy"] == ["pearson": .null, "spearman": .null])
    #expect(json["text"]!["bytes"] == 4100)
    #expect(json["differences"]!.arrayValue!.count == 12)
    #expect(json["inputs"]!.arrayValue![0]["key"] == "0123abcd")
    let again = try JSON(parsing: json.pretty, source: "metrics.json")
    #expect(again == json)
  }

  @Test func everyMemberOfTheMetricsFileIsDocumented() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let documentation = try String(contentsOf: root.appending(path: "Sources/Artifacts/FORMAT.md"), encoding: .utf8)
    func check(_ json: JSON) {
      for (name, value) in json.objectValue ?? [:] {
        #expect(documentation.contains("`\(name)`"), "FORMAT.md does not mention \(name)")
        // What these two hold is documented elsewhere.
        if name != "facts" && name != "configuration" { check(value) }
      }
      for element in json.arrayValue ?? [] { check(element) }
    }
    check(MetricsFile.json(metrics, context: fixture.context))
    check(MetricsFile.summary(metrics, context: fixture.context))
  }

  @Test func equalScoresGiveEqualBytes() throws {
    let again = Metrics(fixture.scores, bootstrap: fixture.bootstrap)
    let context = fixture.context
    #expect(MetricsFile.json(again, context: context).pretty == MetricsFile.json(metrics, context: context).pretty)
    #expect(HTMLReport.page(again, context: context) == HTMLReport.page(metrics, context: context))
  }
}
