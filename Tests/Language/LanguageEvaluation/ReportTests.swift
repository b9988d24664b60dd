import Diagnostics
import Foundation
import JSON
import Statistics
import TestSupport
import Testing

@testable import LanguageEvaluation
@testable import Reports

struct ReportTests {
  let fixture: Fixture
  let metrics: TextMetrics
  let context: EvaluationContext

  init() throws {
    fixture = try Fixture()
    metrics = fixture.metrics()
    context = try fixture.context()
  }

  private var page: String { HTMLReport.page(metrics, scores: fixture.scores, context: context) }
  private func findings(_ scores: TestScores) -> Findings {
    Findings(fixture.metrics(of: scores), leading: "tempnet")
  }

  @Test func sentencesSayWhichWayItWentAndWhetherTheIntervalExcludesZero() throws {
    let sentences = findings(fixture.scores).sentences
    let clear = try #require(sentences.first { $0.hasPrefix("Against policy <one>, policy <tempnet> lowers robust") })
    #expect(clear.contains("by 0.3443 nats per token (simultaneous 95 % interval -0.4700 to -0.2187)"))
    #expect(clear.hasSuffix(": better."))
    #expect(sentences.contains { $0.contains("policy <tempnet> closes 66.2 % (interval 63.7 % to 67.9 %)") })
    #expect(sentences.contains { $0.hasPrefix("Against policy <best-robust>, policy <tempnet>") })
  }

  @Test func aDifferenceThatMayBeNoneIsCalledThat() {
    var scores = fixture.scores
    scores.policies[2].crossEntropy = zip(scores.policies[0].crossEntropy, 0...).map {
      $0 + ($1 % 2 == 0 ? 0.01 : -0.01)
    }
    let sentences = findings(scores).sentences
    #expect(
      sentences.contains {
        $0.contains("policy <tempnet> changes cross-entropy by") && $0.hasSuffix(": equivalent.")
      })
  }

  @Test func aLossThatRisesIsNotHidden() {
    var scores = fixture.scores
    scores.policies[2].crossEntropy = scores.policies[0].crossEntropy.map { $0 + 1 }
    let sentences = findings(scores).sentences
    #expect(sentences.contains { $0.contains("policy <tempnet> raises cross-entropy by 1.0000 nats") })
  }

  @Test func sharesOfANegligibleGapAreLeftOut() throws {
    var scores = fixture.scores
    // The best single temperature is all but the optimum of every token: an interval that excludes zero, of next to
    // nothing.
    scores.policies[1].temperature = scores.policies[3].temperature
    scores.policies[1].crossEntropy = scores.policies[3].crossEntropy.map { $0 + 1e-4 }
    let metrics = fixture.metrics(of: scores)
    let share = try #require(metrics.policies[2].gapClosed?.estimate)
    #expect(share < -100, "\(share)")
    #expect(metrics.meaningfulGapClosed(by: metrics.policies[2]) == nil)
    let findings = Findings(metrics, leading: "tempnet")
    let page = HTMLReport.page(metrics, scores: scores, context: context)
    let shown = [page, TerminalReport.text(metrics, leading: "tempnet"), findings.headline] + findings.sentences
    for text in shown { #expect(!text.contains("\(fixed(share * 100, digits: 1)) %") && !text.contains("closes")) }
    #expect(MetricsFile.json(metrics, context: context)["policies"]?.arrayValue?[2]["gap_closed"]?["estimate"] != nil)
    let summary = MetricsFile.summary(metrics, context: context)["policies"]?.arrayValue ?? []
    #expect(summary.map { $0["gapClosed"] } == metrics.policies.map { _ in JSON.null })
    #expect(self.metrics.meaningfulGapClosed(by: self.metrics.policies[2]) == self.metrics.policies[2].gapClosed)
  }

  @Test func theTerminalReportFitsAWideTerminal() {
    let lines = TerminalReport.text(metrics, leading: "tempnet").split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.contains { $0.hasPrefix("tempnet          -0.4662") })
    let tables = lines.filter { line in (["policy "] + metrics.policies.map(\.name)).contains { line.hasPrefix($0) } }
    #expect(tables.count == 10 && tables.allSatisfy { $0.count <= 120 })
  }

  @Test func thePageEscapesWhateverComesFromOutside() {
    let page = page
    #expect(!page.contains("<script"))
    #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"))
    #expect(page.contains("policy &lt;tempnet&gt; lowers"))
    #expect(page.contains("<dt>context &lt;length&gt;</dt><dd>256 &amp; more</dd>"))
    #expect(page.contains("a &quot;shelf&quot;") && page.contains("the &lt;model&gt;"))
    for raw in ["<i>", "<b>", "<tempnet>", "<length>", "<model>"] { #expect(!page.contains(raw)) }
  }

  @Test func thePageNeedsNothingBesideIt() {
    let page = page
    for reference in ["http://", "https://", "src=", "@import", "url("] { #expect(!page.contains(reference)) }
    #expect(page.contains("prefers-color-scheme: dark"))
    for match in page.matches(of: /href="([^"]*)"/) {
      #expect(match.1.hasPrefix("#") && page.contains("id=\"\(match.1.dropFirst())\""), "\(match.1) leads nowhere")
    }
  }

  @Test func everyElementThatOpensAlsoCloses() {
    let page = page
    var open: [String] = []
    for match in page.matches(of: /<(\/?)([a-z0-9]+)[^>]*>/) {
      let name = String(match.2)
      if ["meta", "br"].contains(name) || match.0.hasSuffix("/>") { continue }
      if match.1.isEmpty { open.append(name) } else { #expect(open.popLast() == name) }
    }
    #expect(open.isEmpty)
  }

  @Test func metricsFileHoldsWhatTheDocumentationSays() throws {
    let json = MetricsFile.json(metrics, context: context)
    #expect(json["schema_version"] == 1)
    #expect(
      json["policies"]!.arrayValue!.map { $0["name"]!.stringValue! } == ["one", "best-robust", "tempnet", "exact"])
    #expect(json["policies"]!.arrayValue![0]["correlation_with_entropy"] == ["pearson": .null, "spearman": .null])
    #expect(json["text"]!["bytes"] == 4100)
    #expect(json["differences"]!.arrayValue!.count == 24)
    #expect(json["differences"]!.arrayValue![1]["verdict"] == "better")
    #expect(json["inputs"]!.arrayValue![0]["key"] == "0123abcd")
    let again = try JSON(parsing: json.pretty, source: "metrics.json")
    #expect(again == json)
  }

  @Test func everyMemberOfTheMetricsFileIsDocumented() throws {
    let documentation = try text(checkout("Sources/Storage/Artifacts/FORMAT.md"))
    func check(_ json: JSON) {
      for (name, value) in json.objectValue ?? [:] {
        #expect(documentation.contains("`\(name)`"), "FORMAT.md does not mention \(name)")
        // What these two hold is documented elsewhere.
        if name != "facts" && name != "configuration" { check(value) }
      }
      for element in json.arrayValue ?? [] { check(element) }
    }
    let score = RequestScore(tokens: 1, isGreedy: true, entropy: 1, logLikelihoods: [-1, -2], temperatures: [1, 2])
    let task = TaskMetrics(
      TaskScores(
        description: TaskScores.Description(name: "t", version: "1", prompts: "p", dataDigest: "00", beginning: "b"),
        policies: ["one", "other"],
        items: (0..<2).map { _ in
          TaskScores.Item(answer: .target(TextSize(characters: 1, bytes: 1, words: 1)), requests: [score])
        }, mergedJoins: 0, truncated: 0), rules: ComparisonRules(resamples: 10, seed: 0))
    check(MetricsFile.json(metrics, tasks: [task], context: context))
    check(MetricsFile.summary(metrics, tasks: [task], context: context))
  }

  @Test func `models that differ by seed are one line, paired by seed with the plainly trained one`() throws {
    var scores = fixture.scores
    // Three seeds of a plain arm (baselines) and of another one (the model itself and baselines).
    for number in 1...5 {
      var policy = scores.policies[0]
      (policy.name, policy.kind) = ("baseline-\(number)", .baseline)
      policy.crossEntropy = policy.crossEntropy.map { $0 + 0.1 * Float(number) }
      policy.other = OtherModel(number: number, entropy: scores.entropy, isCorrect: scores.isCorrect)
      scores.policies.append(policy)
    }
    let metrics = fixture.metrics(of: scores)
    let names = ["one"] + (1...5).map { "baseline-\($0)" }
    let models = EvaluatedModel.models(
      names.indices.map { index in
        [
          "objective": .string(index < 3 ? "robust" : "cross_entropy"), "seed": .integer(index % 3 + 1),
          "model": ["width": 8],
        ]
      }, policies: names.map { [.one: $0] })
    #expect(models.map(\.arm).suffix(1) == ["objective=cross_entropy"] && models[0].arm == "objective=robust")
    let found = try #require(ModelsOverSeeds(models, metrics))
    #expect(found.rows.map(\.crossEntropies.count) == [3, 3] && found.reference == "objective=cross_entropy")
    // Each is three models before the plain one of its seed, 0.1 nats a model.
    #expect(isClose(found.rows[0].differences.estimate, -0.3, tolerance: 1e-6))
    #expect(found.rows[0].verdict == .better && found.rows[1].verdict == nil)
    var context = context
    context.models = models
    #expect(HTMLReport.page(metrics, scores: scores, context: context).contains("<td>objective=robust</td>"))
    #expect(MetricsFile.json(metrics, context: context)["seeds"]?.arrayValue?.count == 2)
    #expect(ModelsOverSeeds(Array(models.prefix(1)), metrics) == nil)
  }

  @Test func `a report lists what was tried, and names families that were tuned less`() {
    let page = page
    #expect(page.contains("Unequal tuning: TempNet, robust was tuned with 2 settings, more than kl-ball (1)"))
    #expect(page.contains("<td>&lt;2&gt;</td>") && page.contains("<td class=\"number\">2.2500</td><td>yes</td>"))
    var context = context
    context.tried = []
    let bare = HTMLReport.page(metrics, scores: fixture.scores, context: context)
    #expect(!bare.contains("Unequal tuning") && !bare.contains("Settings that were tried"))
  }

  @Test func equalScoresGiveEqualBytes() throws {
    let again = fixture.metrics()
    let context = context
    #expect(MetricsFile.json(again, context: context).pretty == MetricsFile.json(metrics, context: context).pretty)
    #expect(HTMLReport.page(again, scores: fixture.scores, context: context) == page)
  }

  // MARK: The page's parts

  @Test func theHeadlineSaysWhatTheIntervalsAllowOneToSay() {
    let clear = findings(fixture.scores).headline
    #expect(
      clear.hasPrefix("On these 997 tokens policy <tempnet> lowers the robust loss by ")
        && clear.contains(") against policy <best-robust>, "), "\(clear)")
    #expect(clear.contains("66.2 % of what the best temperature for every token would gain"))
    var scores = fixture.scores
    let noise = (0..<scores.entropy.count).map { Float($0 % 2 == 0 ? 0.01 : -0.01) }
    scores.policies[2].temperature = scores.policies[1].temperature
    scores.policies[2].crossEntropy = zip(scores.policies[1].crossEntropy, noise).map(+)
    let none = findings(scores).headline
    #expect(none.contains("changes the robust loss by +") && none.contains("; equivalent) against"), "\(none)")
    #expect(!none.contains("would gain"), "\(none)")
    scores.policies[0].crossEntropy = scores.policies[1].crossEntropy.map { $0 + 1 }
    let mixed = findings(scores).headline
    #expect(mixed.contains("lowers the cross-entropy by"), "\(mixed)")
    #expect(mixed.contains("; equivalent) against") && mixed.contains("; better) against"), "\(mixed)")
  }

  @Test func `a few blocks of text come with a warning, and one with no comparison`() {
    func headline(_ block: Int) -> String { Findings(fixture.metrics(block: block), leading: "tempnet").headline }
    let doubt = "Intervals over 7 contiguous blocks of 150 tokens hold the truth less often than they say."
    #expect(headline(150).hasSuffix(doubt), "\(headline(150))")
    #expect(!headline(19).contains("less often"))
    #expect(headline(2000) == "There is nothing to compare policy <tempnet> with.")
  }

  @Test func everyTokenOfThePassageShowsItsFiguresWithoutColourOrScripts() throws {
    let page = page
    let tokens = page.matches(
      of: /<span class="token h[0-8]" tabindex="0">([^<]*)<span class="about" role="tooltip">([^<]*)</)
    #expect(tokens.map { String($0.1) } == ["&lt;i&gt;", "’", "↵", "↵", " a⇥&amp;", "⟨E2 80⟩"])
    let policy = fixture.scores.policies[2]
    let first = String(format: "temperature %.2f", policy.temperature[100])
    #expect(tokens[0].2.contains(first) && page.contains("<td>&lt;i&gt;</td>"))
    // A paragraph ends where two line feeds follow each other, and only there.
    #expect(page.matches(of: /<br>/).count == 1)
  }

  @Test func aReportWithoutTextOrTrainingLeavesThoseSectionsOut() {
    var context = context
    (context.passage, context.origin.histories) = (nil, [])
    let page = HTMLReport.page(metrics, scores: fixture.scores, context: context)
    for id in ["passage", "training"] { #expect(!page.contains("id=\"\(id)\"") && !page.contains("href=\"#\(id)\"")) }
  }

  @Test func trainingIsDrawnOnceForEachQuantity() throws {
    let page = page
    #expect(page.contains("<h3>Training of the &lt;model&gt;</h3>"))
    for title in ["Loss", "&lt;b&gt;", "Learning rate"] { #expect(page.contains("<figcaption>\(title)</figcaption>")) }
    for title in ["Zero", "Bits per byte"] { #expect(!page.contains("<figcaption>\(title)</figcaption>")) }
  }
}
