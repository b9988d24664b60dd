import Generation
import Testing

@Suite struct LineStartTests {
  /// The temperature of each token, from those before it.
  private func temperatures(_ tokens: [String]) -> [Double] {
    var rule = LineStartTemperature(high: 0.8, low: 0.6)
    return tokens.map { token in
      defer { rule.follow(Array(token.utf8)) }
      return rule.temperature
    }
  }

  /// As the published code goes through these tokens: `pos` is 1 after a line feed and grows with every other token but
  /// indentation, and the higher temperature follows indentation where it is 1.
  @Test func `the first token of an indented line is drawn with the higher temperature`() {
    #expect(
      temperatures(["def", " f", ":", "\n", "\t", "return", " 1", "\n", "x"]) == [
        0.6, 0.6, 0.6, 0.6, 0.6, 0.8, 0.6, 0.6, 0.6,
      ])
    // Several indentations in a row stay at the higher one, a tab within a line changes nothing.
    #expect(temperatures(["\n", "\t", "\t", "a", "\t", "b"]) == [0.6, 0.6, 0.8, 0.8, 0.6, 0.6])
    #expect(temperatures(["    ", "a"]) == [0.6, 0.6])
  }

  @Test func `a token of a line feed and blanks counts as both`() {
    #expect(temperatures(["x", "\n    ", "y", ";\n", "\n\n  ", "z"]) == [0.6, 0.6, 0.8, 0.6, 0.6, 0.8])
  }
}
