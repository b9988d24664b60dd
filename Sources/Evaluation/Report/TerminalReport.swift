import Diagnostics
import Pages

/// The report that a person reads on the terminal.
public enum TerminalReport {
  public static func text(_ metrics: Metrics, tasks: [TaskMetrics] = [], leading: String) -> String {
    let tables = MetricsTables(metrics: metrics)
    let findings = Findings(metrics, leading: leading)
    let parts =
      [extent(metrics), tables.predictions.text, tables.temperatures.text, findings.sentences.joined(separator: "\n")]
      + text(tasks) + [findings.headline]
    return parts.joined(separator: "\n\n")
  }

  static func extent(_ metrics: Metrics) -> String {
    let extent = metrics.extent
    return "Test text: \(extent.tokens) tokens, \(extent.words) words, \(extent.bytes) bytes in \(extent.documents) "
      + "\(extent.documents == 1 ? "document" : "documents"). Robust loss with rho \(fixed(metrics.rho, digits: 4)), "
      + "that is entropy \(fixed(metrics.targetEntropy, digits: 4)) nats of \(metrics.vocabulary) logits."
  }
}
