import Artifacts
import Diagnostics

/// The report as one page that needs nothing beside it: no scripts, no fonts, no network.
public enum HTMLReport {
  public static let name = "report.html"

  public static func page(_ metrics: Metrics, context: ReportContext) -> String {
    let tables = MetricsTables(metrics: metrics)
    let sections =
      [
        section("Findings", list(Findings(metrics).sentences)),
        section("Predictions", table(tables.predictions), paragraph(TerminalReport.extent(metrics)), policies(metrics)),
        section("Temperatures", table(tables.temperatures), paragraph(temperatureNote(metrics))),
        section(
          "Differences", paragraph(bootstrapNote(metrics.bootstrap)),
          ComparedMetric.allCases.map { metric in
            "<h3>\(escaped(tables.differences(in: metric).title))</h3>" + table(tables.differences(in: metric))
          }.joined()),
        section("Run", facts(context), preformatted(context.configuration.pretty)),
        section("Origin", origin(context)),
      ]
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>tempnet: evaluation</title>
      <style>
      \(reportStyle)</style>
      </head>
      <body>
      <main>
      <h1>Temperature policies on the test split</h1>
      \(sections.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }

  // MARK: Content

  private static func policies(_ metrics: Metrics) -> String {
    let items = metrics.policies.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.title))</dd>" }
    return "<dl>\(items.joined())</dl>"
      + paragraph(
        "Losses are means over tokens in nats; perplexities are the exponential of the summed negative log likelihood "
          + "over the number of tokens, words or bytes (ppl). A temperature never changes which token is likeliest, so "
          + "the accuracy is the same for all. Gap closed is the share of the way in robust loss from the best single "
          + "temperature to the exact optimum of every token.")
  }

  private static func temperatureNote(_ metrics: Metrics) -> String {
    let margin = fixed(PolicyMetrics.boundMargin * 100, digits: 0)
    return
      "Temperatures may run from \(shortest(metrics.bounds.lowerBound)) to \(shortest(metrics.bounds.upperBound)); "
      + "one within \(margin) % of that range from an end counts as being at the bound. The columns r and rank r are "
      + "Pearson's and Spearman's correlation of the temperature with the entropy of the prediction at temperature 1, "
      + "and with the exact optimum. At temperature 1 the predictions have a mean entropy of "
      + "\(fixed(metrics.entropy.mean, digits: 4)) nats (standard deviation "
      + "\(fixed(metrics.entropy.standardDeviation, digits: 4)))."
  }

  private static func bootstrapNote(_ bootstrap: BlockBootstrap) -> String {
    "Each line is the mean over tokens of the policy minus that of the other, in nats, with its "
      + "\(fixed(bootstrap.confidence * 100, digits: 0)) % interval: percentiles of \(bootstrap.resamples) resamples of "
      + "\(bootstrap.blockCount) contiguous blocks of \(bootstrap.blockLength) tokens, drawn with replacement, the same "
      + "draws for all policies (seed \(bootstrap.seed)). Blocks are drawn and not tokens because neighbouring tokens "
      + "are alike. The intervals tell how much the text matters, not how another model or another training run would "
      + "fare."
  }

  private static func facts(_ context: ReportContext) -> String {
    "<dl>"
      + context.facts.map { "<dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd>" }.joined() + "</dl>"
  }

  private static func origin(_ context: ReportContext) -> String {
    let inputs = Table(
      "Inputs", columns: [.text("input"), .text("kind"), .text("key")],
      rows: context.inputs.map { [$0.name, $0.kind, $0.key] })
    let sources = Table(
      "Texts", columns: [.text("text"), .text("licence"), .text("source")],
      rows: context.sources.map { [$0.name, $0.licence, $0.origin] })
    return table(inputs) + (sources.rows.isEmpty ? "" : table(sources))
  }

  // MARK: Markup

  private static func section(_ title: String, _ content: String...) -> String {
    "<section>\n<h2>\(escaped(title))</h2>\n\(content.joined(separator: "\n"))\n</section>"
  }

  private static func paragraph(_ text: String) -> String { "<p>\(escaped(text))</p>" }

  private static func list(_ items: [String]) -> String {
    "<ul>\(items.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n"))</ul>"
  }

  private static func preformatted(_ text: String) -> String { "<pre>\(escaped(text))</pre>" }

  private static func table(_ table: Table) -> String {
    func cells(_ texts: [String], _ element: String) -> String {
      zip(texts, table.columns).map { text, column in
        "<\(element)\(column.isNumber ? " class=\"number\"" : "")>\(escaped(text))</\(element)>"
      }.joined()
    }
    let rows = table.rows.map { "<tr>\(cells($0, "td"))</tr>" }
    return "<div class=\"table\"><table>\n<thead><tr>\(cells(table.columns.map(\.heading), "th"))</tr></thead>\n"
      + "<tbody>\n\(rows.joined(separator: "\n"))\n</tbody>\n</table></div>"
  }

  /// Text with everything escaped that could be taken for markup, in elements and in attributes.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// `0.5`, `5`: as short as the number allows.
  private static func shortest(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? fixed(value, digits: 0) : "\(value)"
  }
}
