import Glibc

/// The standard normal distribution.
public enum Normal {
  /// P(Z > z).
  public static func upperTail(_ z: Double) -> Double { 0.5 * erfc(z / 2.0.squareRoot()) }

  /// The z with P(Z > z) = p.
  ///
  /// - Parameter p: above 0 and below 1.
  public static func quantile(upperTail p: Double) -> Double { symmetricQuantile(upperTail: p, Normal.upperTail) }
}

/// Student's t distribution.
///
/// The tail is half of a regularised incomplete beta function: P(T > t) = ½ I_x(ν/2, ½) with x = ν / (ν + t²), t ≥ 0
/// (Abramowitz and Stegun 1964, 26.7.1).
public struct StudentT: Sendable {
  public let degreesOfFreedom: Double

  /// - Parameter degreesOfFreedom: above 0.
  public init(_ degreesOfFreedom: Double) {
    precondition(degreesOfFreedom > 0, "\(degreesOfFreedom) degrees of freedom")
    self.degreesOfFreedom = degreesOfFreedom
  }

  /// P(T > t).
  public func upperTail(_ t: Double) -> Double {
    let square = t * t
    let total = degreesOfFreedom + square
    let tail = 0.5 * incompleteBeta(degreesOfFreedom / 2, 0.5, x: degreesOfFreedom / total, complement: square / total)
    return t < 0 ? 1 - tail : tail
  }

  /// The t with P(T > t) = p.
  ///
  /// - Parameter p: above 0 and below 1.
  public func quantile(upperTail p: Double) -> Double { symmetricQuantile(upperTail: p, upperTail) }
}

/// The binomial distribution: the number of successes in trials of one probability.
public enum Binomial {
  /// P(X ≤ k) = I_(1-p)(n - k, k + 1) (Abramowitz and Stegun 1964, 26.5.24).
  public static func lowerTail(_ k: Int, trials n: Int, probability p: Double) -> Double {
    if k < 0 { return 0 }
    if k >= n { return 1 }
    return incompleteBeta(Double(n - k), Double(k + 1), x: 1 - p, complement: p)
  }
}

/// The quantile of a distribution that is symmetric around zero, by bisection to the last bit of its tail.
private func symmetricQuantile(upperTail p: Double, _ tail: (Double) -> Double) -> Double {
  precondition(p > 0 && p < 1, "a tail of \(p)")
  if p > 0.5 { return -symmetricQuantile(upperTail: 1 - p, tail) }
  var (low, high) = (0.0, 1.0)
  while tail(high) > p { (low, high) = (high, 2 * high) }
  while true {
    let middle = low + (high - low) / 2
    guard middle > low, middle < high else { return middle }
    if tail(middle) > p { low = middle } else { high = middle }
  }
}

/// The regularised incomplete beta function I_x(a, b) for a, b > 0.
///
/// - Parameter complement: 1 - x, which a caller may know more exactly.
/// - Returns: by the continued fraction of the NIST Digital Library of Mathematical Functions, 8.17.22, evaluated by the
///   method of Lentz as Thompson and Barnett (1986) modified it; I_x(a, b) = 1 - I_(1-x)(b, a) where that converges
///   faster.
func incompleteBeta(_ a: Double, _ b: Double, x: Double, complement: Double) -> Double {
  if x <= 0 { return 0 }
  if complement <= 0 { return 1 }
  let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log(complement))
  return x <= (a + 1) / (a + b + 2)
    ? front / a / betaFraction(a, b, x) : 1 - front / b / betaFraction(b, a, complement)
}

/// 1 + d₁ / (1 + d₂ / (1 + ...)), by which the prefactor of I_x(a, b) is divided.
private func betaFraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
  let tiny = 1e-300
  func nonzero(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
  var (value, c, d) = (1.0, 1.0, 0.0)
  for index in 1...100_000 {
    let m = Double(index / 2)
    let coefficient =
      index % 2 == 0
      ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonzero(1 + coefficient * d)
    c = nonzero(1 + coefficient / c)
    value *= c * d
    if abs(c * d - 1) < 1e-16 { break }
  }
  return value
}

private func logGamma(_ value: Double) -> Double {
  var sign: Int32 = 0
  return lgamma_r(value, &sign)
}
