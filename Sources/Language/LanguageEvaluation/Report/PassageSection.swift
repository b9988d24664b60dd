import Diagnostics
import Glibc
import Pages
import Statistics

/// Some of the test text, every token coloured and underlined by its temperature.
struct PassageSection {
  private let passage: Passage
  private let scores: TestScores
  private let policy: PolicyScores
  private let one: PolicyScores
  private let exact: PolicyScores?
  /// The middle 90 % of the policy's temperatures, which the colours span.
  private let range: ClosedRange<Double>

  private static let levels = 9

  init(_ passage: Passage, scores: TestScores, leading: String) {
    self.passage = passage
    self.scores = scores
    policy = scores.policies.first { $0.name == leading } ?? scores.policies[0]
    one = scores.policies[0]
    exact = scores.policies.first { $0.kind == .exact && $0.name != leading }
    let quantiles = Distribution(of: policy.temperature).quantiles
    func value(_ fraction: Double) -> Double { quantiles.first { $0.fraction == fraction }!.value }
    range = value(0.05)...value(0.95)
  }

  var content: [HTML] {
    guard !passage.tokens.isEmpty else { return [] }
    let spans = passage.tokens.indices.map(span)
    return [
      .paragraph(
        "The \(passage.tokens.count) tokens from number \(passage.start + 1) of the test text on, by the temperature "
          + "that \(policy.title) gives their prediction: the hotter, the redder and the more heavily underlined. The sign "
          + "↵ stands for a line feed. Point at a token, or go to it with the tab key, for its figures."),
      scale, "<p><a href=\"#after-passage\">Skip the passage</a></p>",
      "<div class=\"passage\">\(HTML(spans, separator: ""))</div>", "<div id=\"after-passage\"></div>",
      .details("The passage as a table", .table(table)),
    ]
  }

  // MARK: The text

  private func span(_ index: Int) -> HTML {
    let token = passage.start + index
    let bytes = passage.tokens[index]
    let breaks: HTML = endsParagraph(index) ? "<br>" : .empty
    return """
      <span class="token h\(level(policy.temperature[token]))" tabindex="0">\(shown(bytes))\
      <span class="about" role="tooltip">\(about(token, bytes))</span></span>\(breaks)
      """
  }

  private func about(_ token: Int, _ bytes: [UInt8]) -> String {
    func loss(_ policy: PolicyScores) -> String { figure(policy.crossEntropy[token]) }
    func probability(_ policy: PolicyScores) -> String { percent(exp(-Double(policy.crossEntropy[token]))) }
    let optimum = exact.map { " (exact \(figure($0.temperature[token])))" } ?? ""
    return "“\(shown(bytes))”: temperature \(figure(policy.temperature[token]))\(optimum), entropy "
      + "\(figure(scores.entropy[token])) nats; probability \(probability(one)) at \(one.title), \(probability(policy)) "
      + "tempered; loss \(loss(one)) and \(loss(policy)) nats"
      + (scores.isCorrect[token] ? "; it was the likeliest token" : "")
  }

  /// A token as people can read it: line feeds and other white space by signs, bytes that are no text in hexadecimal.
  private func shown(_ bytes: [UInt8]) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
      return "⟨\(digits.joined(separator: " "))⟩"
    }
    // By scalars: the two that end a line together are one character to Swift.
    let signs: [Unicode.Scalar: Unicode.Scalar] = ["\r": "␍", "\n": "↵", "\t": "⇥"]
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { shown.append(signs[scalar] ?? scalar) }
    return String(shown)
  }

  /// A single line feed may only be where lines of a book end; two of them end a paragraph.
  private func endsParagraph(_ index: Int) -> Bool {
    let feed = UInt8(ascii: "\n")
    let bytes = passage.tokens[index]
    guard bytes.last == feed else { return false }
    let isNextFeed = index + 1 < passage.tokens.count && passage.tokens[index + 1].first == feed
    let isSecond =
      bytes.dropLast().last == feed || (bytes.count == 1 && index > 0 && passage.tokens[index - 1].last == feed)
    return isSecond && !isNextFeed
  }

  // MARK: Colours

  private func level(_ temperature: Float) -> Int {
    guard range.upperBound > range.lowerBound else { return Self.levels / 2 }
    let share = (Double(temperature) - range.lowerBound) / (range.upperBound - range.lowerBound)
    return Int(min(max(share * Double(Self.levels), 0), Double(Self.levels - 1)))
  }

  private var scale: HTML {
    let width = (range.upperBound - range.lowerBound) / Double(Self.levels)
    let parts: [HTML] = (0..<Self.levels).map { level in
      let start = fixed(range.lowerBound + Double(level) * width, digits: 2)
      let text = level == 0 ? "below \(fixed(range.lowerBound + width, digits: 2))" : "from \(start)"
      return "<span class=\"h\(level)\">\(text)</span>"
    }
    return "<div class=\"scale\">\(HTML(parts, separator: ""))</div>"
  }

  // MARK: The table

  private var table: Table {
    Table(
      "The passage",
      columns: [.number("number"), .text("token"), .number("temperature")] + (exact == nil ? [] : [.number("exact")])
        + [
          .number("entropy"), .number("loss at 1"), .number("loss tempered"),
        ],
      rows: passage.tokens.indices.map { index in
        let token = passage.start + index
        return ["\(token + 1)", shown(passage.tokens[index]), figure(policy.temperature[token])]
          + (exact.map { [figure($0.temperature[token])] } ?? [])
          + [scores.entropy[token], one.crossEntropy[token], policy.crossEntropy[token]].map(figure)
      })
  }

  private func figure(_ value: Float) -> String { readable(Double(value), digits: 2) }
}
