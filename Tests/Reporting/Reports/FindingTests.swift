import Reports
import Statistics
import Testing

@Suite struct FindingTests {
  /// Intervals of four paired items, so that the standard error is known.
  private func finding(_ values: [Double], _ verdict: Verdict, unit: String? = "nats") throws -> Finding {
    let difference = ClusteredMean(values, in: .single(items: values.count))
    let intervals = try #require(
      SimultaneousIntervals(
        [difference], bootstrap: ClusterBootstrap(clusters: values.count, resamples: 200, confidence: 0.9)))
    return Finding(
      "B", minus: "A", metric: "loss", unit: unit, intervals.comparisons[0], verdict, confidence: 0.9)
  }

  @Test func `a verb tells the direction only where the simultaneous interval excludes zero`() throws {
    let lower = try finding([-0.25, -0.25, -0.25, -0.25], .better)
    #expect(
      lower.sentence
        == "Against A, B lowers loss by 0.2500 nats (simultaneous 90 % interval -0.2500 to -0.2500): better.")
    let higher = try finding([0.25, 0.25, 0.25, 0.25], .worse)
    #expect(
      higher.sentence.hasPrefix("Against A, B raises loss by 0.2500 nats (") && higher.sentence.hasSuffix(": worse."))
    let open = try finding([-1, 1, -1, 2], .undecided, unit: nil)
    #expect(open.sentence.hasPrefix("Against A, B changes loss by +0.2500 (simultaneous 90 % interval -"))
    // The standard error is that of four numbers with a standard deviation of 1.5.
    #expect(open.sentence.hasSuffix("): undecided, a difference of 2.1012 would have been seen."))
    #expect(try finding([-1, 1, -1, 1], .equivalent).sentence.hasSuffix(": equivalent."))
  }

  @Test func `a predicate is the sentence without its subject`() throws {
    #expect(
      try finding([-0.25, -0.25], .better).predicate
        == "lowers the loss by 0.2500 nats (simultaneous 90 % interval -0.2500 to -0.2500; better) against A")
  }
}
