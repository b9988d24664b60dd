import Diagnostics

/// Temperatures at the bounds of a TempNet. A sigmoid reaches its bounds nowhere: within a hundredth of the range counts,
/// and there its slope is less than a twenty-fifth of the greatest.
public enum BoundMargin {
  /// The metrics that hold the shares of temperatures at the bounds, and the kinds of the warnings about them.
  public static let lowerName = "at_lower_bound"
  public static let upperName = "at_upper_bound"

  /// The share of the range within which a temperature counts as one at a bound.
  public static let share = 0.01

  /// How near a bound a temperature counts as one at it.
  public static func width(of bounds: ClosedRange<Double>) -> Double {
    share * (bounds.upperBound - bounds.lowerBound)
  }

  /// The warning when more than half of the temperatures lie at one bound; nil otherwise.
  ///
  /// - Parameters:
  ///   - lower: the share of temperatures at the lower bound, and `upper` at the upper one; nil where it was not measured.
  /// - Returns: the kind of the warning, `lowerName` or `upperName`, and its text.
  public static func warning(
    lower: Double?, upper: Double?, bounds: ClosedRange<Double>
  ) -> (kind: String, message: String)? {
    func message(_ share: Double, _ bound: Double, _ remedy: String) -> String {
      "\(fixed(100 * share, digits: 0)) % of the temperatures lie at their bound \(bound), where TempNet learns nothing "
        + "more: \(remedy)"
    }
    if let lower, lower > 0.5 {
      return (
        lowerName,
        message(lower, bounds.lowerBound, "lower tau_min, or choose a higher entropy (a lower rho)")
      )
    }
    if let upper, upper > 0.5 {
      return (
        upperName,
        message(upper, bounds.upperBound, "raise tau_max, or choose a lower entropy (a higher rho)")
      )
    }
    return nil
  }
}
