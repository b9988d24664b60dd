import Reports
import Statistics
import Testing

@Suite struct FindingTests {
  private func finding(_ low: Double, _ estimate: Double, _ high: Double, unit: String? = "nats") -> Finding {
    Finding(
      "B", minus: "A", metric: "loss", unit: unit, Interval(estimate: estimate, low: low, high: high), confidence: 0.9,
      on: "set")
  }

  @Test func `a verb tells the direction only where the interval excludes zero`() {
    #expect(
      finding(-0.5, -0.25, -0.125).sentence
        == "Against A, B lowers loss by 0.2500 nats (90 % interval of the difference -0.5000 to -0.1250): the interval "
        + "excludes zero.")
    #expect(finding(0.125, 0.25, 0.5).sentence.hasPrefix("Against A, B raises loss by 0.2500 nats ("))
    #expect(
      finding(-0.125, 0.25, 0.5, unit: nil).sentence
        == "Against A, B changes loss by +0.2500 (90 % interval of the difference -0.1250 to 0.5000): the interval "
        + "includes zero, so this set does not show a difference.")
  }

  @Test func `a predicate is the sentence without its subject`() {
    #expect(
      finding(-0.5, -0.25, -0.125).predicate
        == "lowers the loss by 0.2500 nats (90 % interval of the difference -0.5000 to -0.1250) against A")
  }
}
