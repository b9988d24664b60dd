import Foundation
import Statistics
import Testing

@testable import LanguageEvaluation

@Suite struct TaskMetricsTests {
  private static let description = TaskScores.Description(
    name: "task <1>", version: "1.0", prompts: "given", dataDigest: "00ff", beginning: "as they are")

  private static func request(_ logLikelihoods: [Double], isGreedy: Bool = false, tokens: Int = 2) -> RequestScore {
    RequestScore(
      tokens: tokens, isGreedy: isGreedy, entropy: 1.5, logLikelihoods: logLikelihoods,
      temperatures: logLikelihoods.indices.map { 1 + Double($0) })
  }

  private static func metrics(_ items: [TaskScores.Item], resamples: Int = 2000) -> TaskMetrics {
    TaskMetrics(
      TaskScores(description: description, policies: ["one", "net"], items: items, mergedJoins: 3, truncated: 1),
      rules: ComparisonRules(resamples: resamples, seed: 1))
  }

  private static func size(_ characters: Int, bytes: Int? = nil, words: Int = 1) -> TextSize {
    TextSize(characters: characters, bytes: bytes ?? characters, words: words)
  }

  /// Two choices, the second right; `net` finds it where `one` does not.
  private static let choices = (0..<40).map { index in
    TaskScores.Item(
      answer: .choice(gold: 1, choices: [size(1), size(4, bytes: 10)]),
      requests: [request([-1, -3]), request(index % 2 == 0 ? [-2, -2] : [-2, -3], isGreedy: index == 0)])
  }

  @Test func `choices are compared as they are, per character and per byte, the first winning ties`() {
    let metrics = Self.metrics(Self.choices)
    func value(_ policy: Int, _ metric: TaskMetric) -> Double? { metrics.policies[policy][metric]?.value }
    #expect(value(0, .accuracy) == 0 && value(1, .accuracy) == 0.5)
    #expect(value(0, .perCharacterAccuracy) == 1 && value(1, .perByteAccuracy) == 1)
    #expect(value(0, .exactMatch) == 1.0 / 40)
    let p = 1 / (1 + exp(1.0))
    #expect(abs(value(0, .brierScore)! - 2 * (1 - p) * (1 - p)) < 1e-12)
    #expect(metrics.policies[0][.mutualInformationAccuracy] == nil)
    let error = metrics.policies[1][.accuracy]!.standardError!
    #expect(abs(error - (0.25 * 40 / 39).squareRoot() / 40.0.squareRoot()) < 1e-12)
  }

  @Test func `what a choice is worth without its context is taken off`() {
    let items = [
      TaskScores.Item(
        answer: .choice(gold: 0, choices: [Self.size(1), Self.size(1)]),
        requests: [[-5, -5], [-4, -4], [-5, -3], [-2, -3]].map { Self.request($0) })
    ]
    let metrics = Self.metrics(items)
    #expect(metrics.policies.map { $0[.mutualInformationAccuracy]?.value } == [1, 0])
    #expect(metrics.policies.map { $0[.accuracy]?.standardError } == [nil, nil])
  }

  @Test func `differences are paired: what is the same for both has none`() {
    let metrics = Self.metrics(Self.choices)
    func difference(_ metric: TaskMetric) -> TaskMetrics.Difference {
      metrics.differences.first { $0.metric == metric }!
    }
    #expect(metrics.unchanged == [.exactMatch])
    let accuracy = difference(.accuracy)
    #expect(accuracy.comparison.estimate == 0.5 && accuracy.verdict == .better)
    // Twenty items are right with one policy only, none with the other: 2 / 2^20.
    #expect(isClose(accuracy.pValue, 2 / 0x1p20))
    // Two standard errors of a binomial share of 40 items.
    let interval = accuracy.comparison.pointwise
    #expect(abs(interval.low - 0.34) < 0.03 && abs(interval.high - 0.66) < 0.03)
    let same = difference(.perCharacterAccuracy)
    // No item of 40 differs, but one of 14 could: 1 - 0.05^(1/40).
    #expect(same.comparison.estimate == 0 && same.verdict == .undecided)
    #expect(isClose(same.comparison.pointwise.high, 1 - pow(0.05, 1 / 40.0)))
    #expect(metrics.differences.allSatisfy { $0.policy == "net" && $0.reference == "one" })
    let report = TaskReport(metrics: metrics)
    #expect(!report.differences.rows.contains { $0.contains { $0.text == "exact_match" } })
    #expect(report.origin.contains("Same by construction for every policy: exact_match."))
    #expect(report.differences.rows.contains { $0.contains { $0.text == "acc" } && $0.last?.text == "better" })
  }

  @Test func `the same predictions are equivalent, however few items there are`() {
    let items = Self.choices.map { item in
      TaskScores.Item(
        answer: item.answer, requests: item.requests.map { Self.request([$0.logLikelihoods[0], $0.logLikelihoods[0]]) })
    }
    for difference in Self.metrics(items).differences {
      #expect(difference.comparison.simultaneous == Interval(estimate: 0, low: 0, high: 0))
      #expect(difference.verdict == .equivalent)
    }
  }

  @Test func `items of a group count as one`() throws {
    var grouped = Self.choices
    for index in grouped.indices { grouped[index].group = index < 36 ? "\(index / 2)" : nil }
    let (single, paired) = (Self.metrics(Self.choices), Self.metrics(grouped))
    #expect(single.clusters.count == 40 && paired.clusters.count == 22)
    let accuracy = try #require(paired.differences.first { $0.metric == .accuracy })
    #expect(accuracy.comparison.estimate == 0.5)
    // Each pair has one item that differs and one that does not, so pairs hardly vary.
    #expect(accuracy.comparison.standardError < 0.05)
    #expect(try #require(accuracy.pValue) < 1e-6)
    #expect(paired.policies == single.policies)
    #expect(TaskReport(metrics: paired).origin.contains("Compared over 22 groups."))
  }

  @Test func `differences of perplexities have the errors of their logarithms to first order`() throws {
    let items = (0..<400).map { index in
      let own = -2 - 0.1 * Double(index % 5)
      let other = -2 - 0.15 * Double(index % 7)
      return TaskScores.Item(answer: .target(Self.size(4, bytes: 5)), requests: [Self.request([own, other])])
    }
    let metrics = Self.metrics(items)
    let difference = try #require(metrics.differences.first { $0.metric == .perplexity }).comparison
    let values = metrics.policies.map { $0[.perplexity]!.value }
    #expect(isClose(difference.estimate, values[1] - values[0]))
    // f(b) - f(a) for f = exp(-mean): the error of -f(b) b + f(a) a.
    let parts = items.map { item -> Double in
      let logLikelihoods = item.requests[0].logLikelihoods
      return values[0] * logLikelihoods[0] - values[1] * logLikelihoods[1]
    }
    let error = try #require(standardDeviation(of: parts)) / 20
    #expect(isClose(difference.standardError, error))
  }

  @Test func `a perplexity is per item, with the error that resampling gives it`() {
    let items = (0..<400).map { index in
      TaskScores.Item(
        answer: .target(Self.size(4, bytes: 5)),
        requests: [Self.request([-2 - 0.1 * Double(index % 5), -3], isGreedy: index % 4 == 0)])
    }
    let metrics = Self.metrics(items)
    let perplexity = metrics.policies[0][.perplexity]!
    #expect(abs(perplexity.value - exp(2.2)) < 1e-9)
    // The first-order error of exp(mean): exp(mean) times the error of the mean.
    let expected = exp(2.2) * (0.02 * 400 / 399).squareRoot() / 20
    #expect(abs(perplexity.standardError! / expected - 1) < 0.05)
    #expect(metrics.policies[0][.accuracy]?.value == 0.25)
    #expect(abs(metrics.policies[1][.bitsPerByte]!.value - 3 / log(2) / 5) < 1e-12)
  }

  @Test func `pages are weighed by their words and bytes`() {
    let items = [(-10.0, 4, 30), (-30.0, 6, 20)].map { score, words, bytes in
      TaskScores.Item(
        answer: .page(TextSize(characters: bytes, bytes: bytes, words: words)),
        requests: [Self.request([score, score], tokens: words)])
    }
    let metrics = Self.metrics(items)
    #expect(abs(metrics.policies[0][.wordPerplexity]!.value - exp(4.0)) < 1e-9)
    #expect(abs(metrics.policies[0][.bytePerplexity]!.value - exp(0.8)) < 1e-12)
    #expect(abs(metrics.policies[0][.bitsPerByte]!.value - 0.8 / log(2)) < 1e-12)
    #expect(metrics.policies[0].values.allSatisfy { $0.standardError == nil })
    #expect(metrics.meanEntropy == 1.5 && metrics.policies[1].meanTemperature == 2)
  }

  @Test func `empty pages ask for nothing`() {
    let sizes = [0, 0, 0, 6].map { TextSize(characters: $0, bytes: $0, words: 1) }
    let items = sizes.map { size in
      TaskScores.Item(
        answer: .page(size), requests: [Self.request([0, -Double(size.bytes)], tokens: size.bytes)])
    }
    let metrics = Self.metrics(items)
    #expect(abs(metrics.policies[1][.bitsPerByte]!.value - 1 / log(2)) < 1e-12)
    // A third of the resamples consist of empty pages.
    for difference in metrics.differences {
      let interval = difference.comparison.simultaneous
      #expect(interval.low.isFinite && interval.high.isFinite)
    }
    #expect(Self.metrics(Array(items.prefix(2))).policies[0][.bytePerplexity]?.value == 1)
  }

  @Test func `a report names what makes figures comparable, and escapes it`() throws {
    let metrics = Self.metrics(Self.choices)
    let fixture = try Fixture()
    let all = fixture.metrics()
    let page = try HTMLReport.page(all, scores: fixture.scores, tasks: [metrics], context: fixture.context())
    for text in [
      "task &lt;1&gt;", "version 1.0", "40 items", "80 requests", "SHA-256 00ff", "In 3 requests",
      "cut at the beginning: 1 context.",
    ] {
      #expect(page.contains(text), "\(text)")
    }
    #expect(!page.contains("task <1>"))
    #expect(TerminalReport.text(all, tasks: [metrics], leading: "net").contains("0.5000 ± 0.0801"))
    #expect(try !HTMLReport.page(all, scores: fixture.scores, context: fixture.context()).contains("Tasks"))
    let json = MetricsFile.json(metrics)
    #expect(json["policies"]!.arrayValue![1]["metrics"]!["acc"]!["value"] == 0.5)
    #expect(json["policies"]!.arrayValue![1]["metrics"]!["brier_score"]!["standard_error"] == .null)
    #expect(json["merged_joins"] == 3 && json["truncated"] == 1 && json["data_sha256"] == "00ff")
  }
}
