import Statistics
import Testing

@Suite struct VerdictTests {
  private func verdict(_ low: Double, _ high: Double, narrow: ClosedRange<Double>, isMoreBetter: Bool = true) -> Verdict
  {
    let middle = (low + high) / 2
    return Verdict(
      simultaneous: Interval(estimate: middle, low: low, high: high),
      narrow: Interval(estimate: middle, low: narrow.lowerBound, high: narrow.upperBound), margin: 1,
      isMoreBetter: isMoreBetter)
  }

  @Test func `an interval that excludes zero decides, whichever way is better`() {
    #expect(verdict(0.1, 3, narrow: 0.5...2) == .better)
    #expect(verdict(0.1, 3, narrow: 0.5...2, isMoreBetter: false) == .worse)
    #expect(verdict(-3, -0.1, narrow: -2 ... -0.5) == .worse)
    #expect(verdict(-3, -0.1, narrow: -2 ... -0.5, isMoreBetter: false) == .better)
  }

  @Test func `a small but certain difference is better, not equivalent`() {
    #expect(verdict(0.1, 0.3, narrow: 0.15...0.25) == .better)
  }

  @Test func `equivalence needs the narrow interval inside the margin`() {
    #expect(verdict(-1.5, 1.2, narrow: -0.9...0.7) == .equivalent)
    #expect(verdict(-1.5, 1.2, narrow: -1...0.7) == .undecided)
    #expect(verdict(-0.2, 2, narrow: 0...1.1) == .undecided)
  }

  @Test func `runs that disagree decide nothing`() {
    #expect(Verdict(agreeing: [.better, .better, .better]) == .better)
    #expect(Verdict(agreeing: [.better, .undecided, .better]) == .undecided)
    #expect(Verdict(agreeing: [.better, .worse]) == .undecided)
  }

  @Test func `the first of the best settings is chosen, and rivals with fewer tries are found`() {
    func tried(_ family: String, _ scores: [Double], isMoreBetter: Bool = true) -> TriedSettings {
      TriedSettings(
        family, trials: scores.enumerated().map { TriedSettings.Trial("\($0)", score: $1) }, isMoreBetter: isMoreBetter)
    }
    let own = tried("own", [1, 3, 3, 2])
    #expect(own.chosen == 1)
    #expect(tried("loss", [1, 3, 0.5, 0.5], isMoreBetter: false).chosen == 2)
    let (few, many) = (tried("few", [1, 2, 3]), tried("many", [1, 2, 3, 4, 5]))
    #expect(own.lessTuned(among: [few, many]) == [few])
    #expect(few.lessTuned(among: [own, many]).isEmpty)
  }
}
