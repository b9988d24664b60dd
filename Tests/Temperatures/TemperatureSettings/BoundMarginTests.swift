import TemperatureSettings
import Testing

@Suite struct BoundMarginTests {
  private func warning(lower: Double?, upper: Double?) -> (kind: String, message: String)? {
    BoundMargin.warning(lower: lower, upper: upper, bounds: 0.5...5)
  }

  @Test func `most temperatures at a bound give a warning with the share, the bound and the remedy`() throws {
    let lower = try #require(warning(lower: 0.61, upper: 0.2))
    #expect(lower.kind == BoundMargin.lowerName)
    #expect(lower.message.hasPrefix("61 % of the temperatures lie at their bound 0.5, "))
    #expect(lower.message.hasSuffix(": lower tau_min, or choose a higher entropy (a lower rho)"))
    let upper = try #require(warning(lower: 0, upper: 0.9))
    #expect(upper.kind == BoundMargin.upperName)
    #expect(upper.message.hasPrefix("90 % of the temperatures lie at their bound 5.0, "))
    #expect(upper.message.hasSuffix(": raise tau_max, or choose a lower entropy (a higher rho)"))
  }

  @Test func `half of them, or shares that were not measured, give none`() {
    for (lower, upper) in [(0.5, 0.5), (0, 0), (nil, nil)] as [(Double?, Double?)] {
      #expect(warning(lower: lower, upper: upper) == nil)
    }
  }

  @Test func `the margin is a hundredth of the range`() {
    #expect(abs(BoundMargin.width(of: 0.5...5) - 0.045) < 1e-15)
  }
}
