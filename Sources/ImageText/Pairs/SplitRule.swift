import Files

/// How pictures are dealt to the splits.
///
/// A concept's hash u in [0, 1) decides: those below 1 - validation - test are trained on, then come those to validate on,
/// then those to test on. So a concept is never in two of them, whatever else the sources hold. Pictures of held-out
/// styles are no training material: those of trained concepts make a named test, those of validation concepts help to
/// validate, the others are left out.
public struct SplitRule: Equatable, Sendable {
  public enum Place: Equatable, Sendable {
    case split(PairSplit)
    /// A held-out style of a concept that is not trained on, with the reason.
    case outside(String)
  }

  /// A test of styles that are never trained on.
  public struct StyleTest: Equatable, Sendable {
    public var name: String
    public var styles: [String]

    public init(name: String, styles: [String]) { (self.name, self.styles) = (name, styles) }
  }

  /// The shares of the concepts.
  public var validation: Double
  public var test: Double
  public var styleTests: [StyleTest]

  public init(validation: Double, test: Double, styleTests: [StyleTest] = []) {
    (self.validation, self.test, self.styleTests) = (validation, test, styleTests)
  }

  /// The splits that should hold pictures, besides the one to train on.
  public var splits: [PairSplit] {
    (validation > 0 ? [.validation] : []) + (test > 0 ? [.test] : []) + styleTests.map { PairSplit($0.name) }
  }

  /// A number in [0, 1) that depends on the concept alone: the first 53 bits of its SHA-256.
  public static func u(_ concept: String) -> Double {
    let digits = SHA256.hex(of: concept).prefix(16)
    return Double(UInt64(digits, radix: 16)! >> 11) * 0x1p-53
  }

  /// The split of a concept's pictures in trained styles.
  public func split(ofConcept concept: String) -> PairSplit {
    let u = Self.u(concept)
    if u < 1 - (validation + test) { return .train }
    return u < 1 - test ? .validation : .test
  }

  /// The test that a style is held out for; nil for a style that is trained on.
  public func styleTest(of style: String?) -> PairSplit? {
    guard let style else { return nil }
    return styleTests.first { $0.styles.contains(style) }.map { PairSplit($0.name) }
  }

  /// - Parameter isTrained: whether a picture of a trained style shows the concept.
  public func place(concept: String, style: String?, isTrained: (String) -> Bool) -> Place {
    let split = split(ofConcept: concept)
    guard let styleTest = styleTest(of: style) else { return .split(split) }
    switch split {
    case .train where isTrained(concept): return .split(styleTest)
    case .train: return .outside("its style is held out, and no picture of another style shows its concept")
    case .validation: return .split(.validation)
    default: return .outside("its style is held out, and its concept is to test on")
    }
  }
}
