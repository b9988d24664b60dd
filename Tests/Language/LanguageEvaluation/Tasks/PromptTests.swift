import StageDescriptions
import Tasks
import TestSupport
import Testing

@testable import LanguageEvaluation

@Suite struct PromptTests {
  @Test(arguments: Harness.tasks)
  func `contexts and continuations are those of lm-evaluation-harness`(task: HarnessTask) throws {
    let expected = try Harness(task)
    let found = try Harness.task(task, in: TemporaryFolder())
    #expect(found.items.count == expected.items.count)
    for (item, expected) in zip(found.items, expected.items) {
      let requests = item.requests.map { $0.isPage ? [$0.continuation] : [$0.context, $0.continuation] }
      // By bytes: two strings that only look alike have other tokens.
      #expect(requests.map { $0.map { Array($0.utf8) } } == expected.requests.map { $0.map { Array($0.utf8) } })
    }
  }

  @Test(arguments: Harness.tasks)
  func `metrics of the harness's log-likelihoods are the harness's`(task: HarnessTask) throws {
    let expected = try Harness(task)
    let items = try zip(Harness.task(task, in: TemporaryFolder()).items, expected.items).map { item, expected in
      TaskScores.Item(
        answer: item.answer,
        requests: zip(expected.logLikelihoods, expected.isGreedy).map {
          RequestScore(tokens: 1, isGreedy: $1, entropy: 1, logLikelihoods: [$0], temperatures: [1])
        })
    }
    let description = TaskScores.Description(name: "t", version: "", prompts: "", dataDigest: "", beginning: "")
    let metrics = TaskMetrics(
      TaskScores(description: description, policies: ["one"], items: items, mergedJoins: 0, truncated: 0),
      rules: ComparisonRules(resamples: 100, seed: 0))
    #expect(expected.metrics.objectValue!.count > 1)
    for (name, value) in expected.metrics.objectValue! where name != "perplexity_stderr" {
      let isError = name.hasSuffix("_stderr")
      let metric = try #require(TaskMetric(rawValue: isError ? String(name.dropLast(7)) : name))
      let figure = try #require(metrics.policies[0][metric])
      let found = try #require(isError ? figure.standardError : figure.value)
      #expect(abs(found - value.doubleValue!) <= 1e-9 * max(1, abs(value.doubleValue!)), "\(name): \(found), \(value)")
    }
    #expect(metrics.policies[0][.brierScore]?.standardError == nil)
  }

  @Test func `python's string methods`() {
    // What Python 3.11 prints.
    #expect(PythonText("ΟΔΟΣ ΣΟΦΙΑΣ").capitalised.string == "Οδος σοφιας")
    #expect(PythonText("ǆungla").capitalised.string == "ǅungla")
    #expect(PythonText("ﬁN ß").capitalised.string == "Fin ß")
    #expect(PythonText("aaaa").replacing("aa", with: "a").string == "aa")
    #expect(PythonText("\u{1C}\u{2003} x\u{85}\u{200B}").stripped.string == "x\u{85}\u{200B}")
    #expect(["", " ", "a", "a b", " a\n\tb "].map { PythonText($0).words } == [1, 2, 1, 2, 4])
    #expect(PythonText("e\u{301}\u{1F98A}").size == TextSize(characters: 3, bytes: 7, words: 1))
  }

  @Test func `only brackets closed on their line are taken off`() {
    #expect(WikitextDetokenizer.text(ofPage: "( a ( b ) ) \" c \"d\" e ' f\n'") == "(a ( b) ) \"c\"d\" e 'f'")
  }
}
