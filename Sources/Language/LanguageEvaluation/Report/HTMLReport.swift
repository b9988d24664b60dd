import Diagnostics
import Pages
import Reports
import Statistics

/// The report for people, as one page that needs nothing beside it.
public enum HTMLReport {
  public static let name = "report.html"

  public static func page(
    _ metrics: TextMetrics, scores: TestScores, tasks: [TaskMetrics] = [], context: EvaluationContext
  ) -> String {
    let findings = Findings(metrics, leading: context.leading)
    let sections: [Report.Section] = [
      Report.Section("Policies", id: "policies", PoliciesSection(metrics: metrics).content),
      Report.Section("Temperatures", id: "temperatures", TemperaturesSection(metrics: metrics, scores: scores).content),
      Report.Section("Calibration", id: "calibration", CalibrationSection(metrics: metrics).content),
      Report.Section(
        "A passage", id: "passage",
        context.passage.map { PassageSection($0, scores: scores, leading: context.leading).content } ?? []
      ),
      Report.Section("Tasks", id: "tasks", TasksSection(tasks: tasks).content),
      .training(context.origin),
      Report.Section(
        "Models over seeds", id: "seeds",
        ModelsOverSeeds(context.models, metrics).map { [.table($0.table), .paragraph($0.note)] } ?? []),
      Report.Section(
        "Comparisons", id: "comparisons",
        ComparisonsSection(metrics: metrics, findings: findings, context: context).content),
      .origin(context.origin, sources: "Texts", source: "text", splits: context.splitTable),
      .configuration(context.origin),
    ]
    return Report(
      title: "tempnet: evaluation", heading: "Temperature policies on the test split", headline: findings.headline,
      cards: cards(metrics, leading: context.leading), sections: sections
    ).page.text
  }

  /// The first things that a reader wants to know.
  private static func cards(_ metrics: TextMetrics, leading: String) -> [(figure: String, meaning: String)] {
    guard let policy = metrics.policies.first(where: { $0.name == leading }) else { return [] }
    let one = metrics.policies[0]
    var cards: [(figure: String, meaning: String)] = []
    if let gap = metrics.meaningfulGapClosed(by: policy) {
      cards.append(
        (percent(gap.estimate), "of the gap in robust loss between one temperature and the exact optimum closed"))
    }
    cards.append(
      (fourDigits(policy.robustLoss), "robust loss, nats per token; \(fourDigits(one.robustLoss)) at \(one.title)"))
    if let own = policy.bitsPerByte, let plain = one.bitsPerByte {
      cards.append((fourDigits(own), "bits per byte; \(fourDigits(plain)) at \(one.title)"))
    }
    cards.append((fourDigits(policy.temperature.mean), "mean temperature of \(policy.title)"))
    cards.append((grouped(metrics.extent.tokens), "tokens of test text"))
    return cards
  }
}
