import Diagnostics
import JSON
import Pages
import Reports
import Statistics

/// The part of a report about a task.
struct TaskReport {
  let metrics: TaskMetrics

  /// One line per policy: its figures, with standard errors where there are some.
  var figures: Table {
    let names = metrics.policies[0].values.map(\.metric.rawValue)
    return Table(
      metrics.description.name,
      columns: [.text("policy")] + names.map { .number($0) } + [.number("mean temperature")],
      rows: metrics.policies.map { policy in
        [policy.name] + policy.values.map(Self.text) + [readable(policy.meanTemperature, digits: 3)]
      })
  }

  /// One line per metric that a temperature can change and policy: the policy minus the first one.
  var differences: Table {
    Table(
      "\(metrics.description.name): differences",
      columns: [
        .text("policy"), .text("minus"), .text("metric"), .number("difference"), .text("alone"), .text("simultaneous"),
        .number("p"), .number("detectable"), .text("verdict"),
      ],
      rows: metrics.differences.map { difference in
        let comparison = difference.comparison
        return [
          difference.policy, difference.reference, difference.metric.rawValue, Self.text(comparison.estimate),
          Self.range(comparison.pointwise), Self.range(comparison.simultaneous),
          difference.pValue.map { readable($0, digits: 3) } ?? "–", Self.text(comparison.smallestDetectable),
          difference.verdict.rawValue,
        ]
      })
  }

  /// What no policy can change.
  var unchanged: String {
    metrics.unchanged.isEmpty
      ? "" : " Same by construction for every policy: \(metrics.unchanged.map(\.rawValue).joined(separator: ", "))."
  }

  private static func range(_ interval: Interval) -> String { "\(text(interval.low)) to \(text(interval.high))" }

  /// The facts that make the figures comparable with others.
  var origin: String {
    let task = metrics.description
    let joins =
      metrics.mergedJoins == 0
      ? "No token reaches over a join of context and continuation"
      : "In \(counted(metrics.mergedJoins, "request")) a token of the joined text reaches over the join, which is split "
        + "by count"
    let truncated =
      metrics.truncated == 0
      ? "" : " Too long for the model, and cut at the beginning: \(counted(metrics.truncated, "context"))."
    return "Task \(task.name), version \(task.version): \(counted(metrics.items, "item")), "
      + "\(counted(metrics.requests, "request")), \(counted(metrics.tokens, "token")) predicted. Prompts: "
      + "\(task.prompts); \(task.beginning). \(joins).\(truncated)\(unchanged) Compared over "
      + "\(counted(metrics.clusters.count, metrics.clusters.count < metrics.items ? "group" : "item")). Data: SHA-256 "
      + "\(task.dataDigest)."
  }

  static let note =
    "The metrics are those of lm-evaluation-harness 0.4.13; behind ± stands the standard error. A perplexity without "
    + "another word is per item, not per token. Differences are of policies on the same items, with intervals alone and "
    + "simultaneous over the policies; p is McNemar's exact probability, or that of a clustered t test where items belong "
    + "together. The comparisons below say what the verdicts mean."

  private static func text(_ figure: TaskMetrics.Value) -> String {
    text(figure.value) + (figure.standardError.map { " ± \(text($0))" } ?? "")
  }

  /// Perplexities run from a few to millions.
  private static func text(_ value: Double) -> String {
    abs(value) < 1000 ? fourDigits(value) : abbreviated(value)
  }
}

extension TerminalReport {
  static func text(_ tasks: [TaskMetrics]) -> [String] {
    tasks.flatMap { [TaskReport(metrics: $0).origin, TaskReport(metrics: $0).figures.text] }
  }
}

/// The results of each policy on tasks; empty without tasks.
struct TasksSection {
  let tasks: [TaskMetrics]

  var content: [HTML] {
    guard !tasks.isEmpty else { return [] }
    return [.paragraph(TaskReport.note)]
      + tasks.flatMap { metrics in
        let report = TaskReport(metrics: metrics)
        let differences = report.differences
        var parts: [HTML] = [.heading(metrics.description.name), .table(report.figures), .paragraph(report.origin)]
        if !differences.rows.isEmpty { parts.append(.details(differences.title, .table(differences))) }
        return parts
      }
  }
}

extension MetricsFile {
  static func json(_ metrics: TaskMetrics) -> JSON {
    let task = metrics.description
    return [
      "task": .string(task.name), "version": .string(task.version), "prompts": .string(task.prompts),
      "data_sha256": .string(task.dataDigest), "beginning": .string(task.beginning), "items": .integer(metrics.items),
      "requests": .integer(metrics.requests), "tokens": .integer(metrics.tokens),
      "merged_joins": .integer(metrics.mergedJoins), "truncated": .integer(metrics.truncated),
      "entropy": .number(metrics.meanEntropy),
      "policies": .array(
        metrics.policies.map { policy in
          [
            "name": .string(policy.name), "temperature": .number(policy.meanTemperature),
            "metrics": .object(
              JSONObject(
                policy.values.map { figure in
                  (
                    figure.metric.rawValue,
                    [
                      "value": .number(figure.value),
                      "standard_error": .number(orNull: figure.standardError),
                    ]
                  )
                })),
          ]
        }),
      "clusters": .integer(metrics.clusters.count),
      "bootstrap": metrics.rules.json(
        drawing: counted(metrics.clusters.count, metrics.clusters.count < metrics.items ? "group" : "item")),
      "unchanged": .array(metrics.unchanged.map { .string($0.rawValue) }),
      "differences": .array(
        metrics.differences.map { difference in
          Self.json(
            difference.policy, difference.reference, difference.metric.rawValue,
            difference.comparison.members(difference.verdict)
              + [("p_value", .number(orNull: difference.pValue))])
        }),
    ]
  }

  /// The one figure of each policy that a manifest repeats: the first that people compare.
  static func summary(_ metrics: TaskMetrics) -> JSON {
    [
      "task": .string(metrics.description.name), "items": .integer(metrics.items),
      "policies": .array(
        metrics.policies.map { policy in
          let figure = policy[.accuracy] ?? policy.values[0]
          return [
            "name": .string(policy.name), "metric": .string(figure.metric.rawValue), "value": .number(figure.value),
          ]
        }),
    ]
  }
}
