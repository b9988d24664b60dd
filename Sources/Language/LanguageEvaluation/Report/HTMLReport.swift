import Diagnostics
import Pages

/// The report for people, as one page that needs nothing beside it.
public enum HTMLReport {
  public static let name = "report.html"

  public static func page(
    _ metrics: Metrics, scores: TestScores, tasks: [TaskMetrics] = [], context: ReportContext
  ) -> String {
    let findings = Findings(metrics, leading: context.leading)
    let parts: [(title: String, id: String, content: [HTML])] = [
      ("Policies", "policies", PoliciesSection(metrics: metrics).content),
      ("Temperatures", "temperatures", TemperaturesSection(metrics: metrics, scores: scores).content),
      ("Calibration", "calibration", CalibrationSection(metrics: metrics).content),
      (
        "A passage", "passage",
        context.passage.map { PassageSection($0, scores: scores, leading: context.leading).content } ?? []
      ),
      ("Tasks", "tasks", TasksSection(tasks: tasks).content),
      ("Training", "training", context.histories.flatMap { TrainingSection(history: $0).content }),
      ("Comparisons", "comparisons", ComparisonsSection(metrics: metrics, findings: findings).content),
      ("Data and origin", "origin", OriginSection(context: context).content),
      ("Configuration", "configuration", configuration(context)),
    ].filter { !$0.2.isEmpty }
    let links: [HTML] = parts.map { .link($0.title, to: "#\($0.id)") }
    let head: HTML = """
      <h1>Temperature policies on the test split</h1>
      <p class="lead">\(findings.headline)</p>
      \(cards(metrics, leading: context.leading))
      <nav aria-label="Sections">
      \(links)
      </nav>
      """
    return Page(
      title: "tempnet: evaluation",
      sections: [head] + parts.map { .section($0.title, id: $0.id, HTML($0.content)) }
    ).text
  }

  /// What a reader wants to know first.
  private static func cards(_ metrics: Metrics, leading: String) -> HTML {
    guard let policy = metrics.policies.first(where: { $0.name == leading }) else { return .empty }
    let one = metrics.policies[0]
    var cards: [(String, String)] = []
    if let gap = metrics.meaningfulGapClosed(by: policy) {
      cards.append(
        (percent(gap.estimate), "of the gap in robust loss between one temperature and the exact optimum closed"))
    }
    cards.append(
      (fourDigits(policy.robustLoss), "robust loss, nats per token; \(fourDigits(one.robustLoss)) at \(one.title)"))
    if let own = policy.bitsPerByte?.estimate, let plain = one.bitsPerByte?.estimate {
      cards.append((fourDigits(own), "bits per byte; \(fourDigits(plain)) at \(one.title)"))
    }
    cards.append((fourDigits(policy.temperature.mean), "mean temperature of \(policy.title)"))
    cards.append((grouped(metrics.extent.tokens), "tokens of test text"))
    return .cards(cards.map { (figure: $0.0, meaning: $0.1) })
  }

  private static func configuration(_ context: ReportContext) -> [HTML] {
    [
      .definitions(context.facts.map { (term: $0.name, meaning: $0.value) }),
      .heading("The stage's configuration"), .preformatted(context.configuration.pretty),
      .paragraph(
        "How long a stage took is not part of its result: the same work has to give the same bytes. Times are in the "
          + "runner's records; tempnet-run report shows them for all runs of a store, with links to pages like this "
          + "one."
      ),
    ]
  }
}
