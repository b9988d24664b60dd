import Diagnostics
import Pages

/// The report that a person reads on the terminal.
public enum TerminalReport {
  public static func text(_ metrics: TextMetrics, tasks: [TaskMetrics] = [], leading: String) -> String {
    let tables = MetricsTables(metrics: metrics)
    let findings = Findings(metrics, leading: leading)
    let parts =
      [extent(metrics), tables.predictions.text, tables.temperatures.text, findings.sentences.joined(separator: "\n")]
      + text(tasks) + [findings.headline]
    return parts.joined(separator: "\n\n")
  }

  static func extent(_ metrics: TextMetrics) -> String {
    let extent = metrics.extent
    return "Test text: \(counted(extent.tokens, "token")), \(counted(extent.words, "word")), "
      + "\(counted(extent.bytes, "byte")) in \(counted(extent.documents, "document")). Robust loss with rho "
      + "\(fourDigits(metrics.rho)), that is entropy \(fourDigits(metrics.targetEntropy)) nats of \(metrics.vocabulary) logits."
  }
}
