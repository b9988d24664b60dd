import Glibc

/// A family of rules that differ by their settings, so that the best can be chosen on validation tokens.
public enum PolicyFamily: String, CaseIterable, Sendable {
  case entropyDynamic = "entropy-dynamic"
  case dynamicRange = "dynamic-range"
  case entropyLevels = "entropy-levels"
  case divergenceBall = "kl-ball"

  /// Settings to try, as many as are asked for: the nearest to temperature 1 everywhere, then points of a Halton sequence
  /// over the ranges that people use. A larger number begins with the settings of a smaller one.
  ///
  /// - Parameter entropy: the mean entropy at temperature 1, in nats, about which thresholds are placed.
  public func settings(_ count: Int, entropy: Double) -> [PolicySpecification] {
    (0..<count).map { $0 == 0 ? neutral : setting(number: $0, entropy: entropy) }
  }

  private var neutral: PolicySpecification {
    switch self {
    case .entropyDynamic: .entropyDynamic(base: 1, theta: 0)
    case .dynamicRange: .dynamicRange(0.99...1.01, exponent: 1)
    case .entropyLevels: .entropyLevels(low: 0.99, high: 1.01, threshold: 1)
    case .divergenceBall: .divergenceBall(radius: 1e-6)
    }
  }

  private func setting(number: Int, entropy: Double) -> PolicySpecification {
    func place(_ dimension: Int, _ range: ClosedRange<Double>) -> Double {
      let share = Self.halton(number, base: [2, 3, 5][dimension])
      return Self.rounded(range.lowerBound + share * (range.upperBound - range.lowerBound))
    }
    func scale(_ dimension: Int, _ range: ClosedRange<Double>) -> Double {
      let share = Self.halton(number, base: [2, 3, 5][dimension])
      return Self.rounded(range.lowerBound * pow(range.upperBound / range.lowerBound, share))
    }
    switch self {
    case .entropyDynamic: return .entropyDynamic(base: scale(0, 0.7...1.4), theta: scale(1, 0.01...2))
    case .dynamicRange:
      let low = place(0, 0.5...1.1)
      return .dynamicRange(low...Self.rounded(low + place(1, 0.01...0.8)), exponent: scale(2, 0.25...4))
    case .entropyLevels:
      let low = place(0, 0.6...1.2)
      return .entropyLevels(
        low: low, high: Self.rounded(low + place(1, 0.01...0.6)), threshold: Self.rounded(place(2, 0.2...2) * entropy))
    case .divergenceBall: return .divergenceBall(radius: scale(0, 1e-5...1))
    }
  }

  /// The radical inverse of a number (Halton 1960), in 0..<1.
  private static func halton(_ number: Int, base: Int) -> Double {
    var (rest, digit, sum) = (number, 1.0, 0.0)
    while rest > 0 {
      digit /= Double(base)
      sum += digit * Double(rest % base)
      rest /= base
    }
    return sum
  }

  /// To three significant digits, so that a report states the setting that was used.
  private static func rounded(_ value: Double) -> Double {
    let unit = pow(10, floor(log10(value)) - 2)
    let digits = (value / unit).rounded()
    return unit < 1 ? digits / (1 / unit).rounded() : digits * unit
  }
}
