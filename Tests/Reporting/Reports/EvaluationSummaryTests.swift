import JSON
import Reports
import Testing

@Suite struct EvaluationSummaryTests {
  private func policy(_ name: String, robustLoss: Double? = 0.5) -> EvaluationSummary.Policy {
    EvaluationSummary.Policy(
      name: name, robustLoss: robustLoss, tokenPerplexity: 3, bitsPerByte: nil, meanTemperature: 1.25, gapClosed: 0.75,
      brier: 0.25, expectedCalibrationError: 0.125)
  }

  @Test func `a summary reads back from its members`() throws {
    let summary = EvaluationSummary(
      rho: 1.5, tokens: 7, policies: [policy("one"), policy("mine")], leading: "mine")
    let json = try JSON(parsing: summary.json.pretty, source: "summary")
    #expect(EvaluationSummary(json) == summary && summary.leading?.name == "mine")
  }

  /// The names that manifests hold: a change would make figures of earlier evaluations disappear from lists.
  @Test func `members have the names that manifests hold`() {
    let json = EvaluationSummary(rho: 1.5, tokens: 7, policies: [policy("one", robustLoss: nil)], leading: "one").json
    #expect(
      json == [
        "rho": 1.5, "tokens": 7, "leading": "one",
        "policies": [
          [
            "name": "one", "robustLoss": .null, "tokenPerplexity": 3.0, "bitsPerByte": .null, "meanTemperature": 1.25,
            "gapClosed": 0.75, "brier": 0.25, "expectedCalibrationError": 0.125,
          ]
        ],
      ])
  }

  @Test func `a summary that names no leading policy is about a TempNet`() {
    let old: JSON = ["tokens": 7, "policies": [["name": "one"], ["name": "model"], ["title": "no name"]]]
    let summary = EvaluationSummary(old)
    #expect(summary.policies.map(\.name) == ["one", "model"] && summary.leading?.name == "model")
    #expect(summary.rho == nil && summary.policies[0].robustLoss == nil)
    #expect(EvaluationSummary([:]).leading == nil)
  }
}
