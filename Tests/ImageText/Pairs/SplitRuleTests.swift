import Testing

@testable import Pairs

@Suite struct SplitRuleTests {
  private let rule = SplitRule(
    validation: 0.1, test: 0.1, styleTests: [SplitRule.StyleTest(name: "style", styles: ["emojione"])])

  /// Python: `int.from_bytes(hashlib.sha256(b"1f600").digest()[:8], "big") / 2**64`.
  @Test func `the hash of a concept is the beginning of its SHA-256`() {
    #expect(abs(SplitRule.u("1f600") - 0.18967408723675724) < 1e-15)
    #expect(abs(SplitRule.u("") - 0.8894159948913374) < 1e-15)
  }

  private func concept(_ split: PairSplit) -> String {
    (0...).lazy.map { "\($0)" }.first { rule.split(ofConcept: $0) == split }!
  }

  @Test func `concepts are dealt in the shares, each to one split`() {
    let splits = (0..<20_000).map { rule.split(ofConcept: "concept \($0)") }
    for (split, share) in [(PairSplit.train, 0.8), (.validation, 0.1), (.test, 0.1)] {
      #expect(abs(Double(splits.count { $0 == split }) / 20_000 - share) < 0.01)
    }
    let all = SplitRule(validation: 0, test: 0)
    #expect((0..<1000).allSatisfy { all.split(ofConcept: "\($0)") == .train })
  }

  @Test func `a held-out style is tested on trained concepts and validates on validation concepts`() {
    let style = PairSplit("style")
    func place(_ split: PairSplit, _ style: String?, isTrained: Bool = true) -> SplitRule.Place {
      rule.place(concept: concept(split), style: style) { _ in isTrained }
    }
    #expect(place(.train, "noto") == .split(.train))
    #expect(place(.train, nil) == .split(.train))
    #expect(place(.train, "emojione") == .split(style))
    #expect(place(.validation, "noto") == .split(.validation))
    #expect(place(.validation, "emojione") == .split(.validation))
    #expect(place(.test, "noto") == .split(.test))
    for place in [place(.test, "emojione"), place(.train, "emojione", isTrained: false)] {
      guard case .outside = place else {
        Issue.record("\(place)")
        continue
      }
    }
  }
}
