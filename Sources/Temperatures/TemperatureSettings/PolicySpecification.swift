/// A temperature policy in words, as configurations and command lines have it:
///
///     0.7                          one temperature for every token
///     exact, exact:4.5             the optimum of the robust loss, for the entropy at hand or the one named
///     model                        the TempNet that was trained jointly with the model
///     entropy-dynamic:1,1.5        EDT with base 1 and theta 1.5
///     dynamic-range:0.5..1.5,1     llama.cpp's dynamic temperature; the exponent, 1, may be left out
///     entropy-levels:0.7,1.2,2     1.2 where the entropy exceeds 2 nats, 0.7 elsewhere
///     kl-ball:0.1                  the most uncertain distribution within 0.1 nats of the model's own
///     path/to/tempnet              a TempNet in an artifact, recognised by its slash; on command lines alone
public enum PolicySpecification: Equatable, Sendable {
  case fixed(Double)
  case exact(entropy: Double?)
  case model
  case entropyDynamic(base: Double, theta: Double)
  case dynamicRange(ClosedRange<Double>, exponent: Double)
  case entropyLevels(low: Double, high: Double, threshold: Double)
  /// The radius in nats.
  case divergenceBall(radius: Double)
  /// An artifact of kind `tempnet`, or a model with a TempNet of its own.
  case artifact(String)

  /// Temperatures that divide logits within the range of float32.
  public static let temperatures = 1e-4...1e4

  private static let forms =
    "a temperature from 0.0001 to 10000, exact, exact:ENTROPY, model, entropy-dynamic:BASE,THETA, "
    + "dynamic-range:LOW..HIGH,EXPONENT, entropy-levels:LOW,HIGH,NATS"
  private static let lastForm = "kl-ball:NATS"
  /// The policies that are no TempNet of a file.
  public static let words = "\(forms) or \(lastForm)"
  public static let expectation =
    "\(forms), \(lastForm), or the path of a TempNet's artifact with a slash in it"

  private static let names = ["exact", "model", "entropy-dynamic", "dynamic-range", "entropy-levels", "kl-ball"]

  /// Whether a text that may be a path is rather meant as one of `words`, be it a wrong one.
  public static func isWords(_ text: String) -> Bool {
    let first = String(text.unicodeScalars.prefix { $0 != ":" })
    return Double(text) != nil || names.contains(first)
  }

  /// Nil for words that are no policy.
  public init?(_ text: String) {
    if text.utf8.contains(UInt8(ascii: "/")) {
      self = .artifact(text)
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let numbers = parts.count > 1 ? Self.numbers(parts[1]) : []
    switch (parts[0], numbers) {
    case ("exact", []?) where parts.count == 1: self = .exact(entropy: nil)
    case ("exact", let given?) where given.count == 1 && given[0] > 0: self = .exact(entropy: given[0])
    case ("model", []?) where parts.count == 1: self = .model
    case ("entropy-dynamic", let given?)
    where given.count == 2 && (1e-3...1e4).contains(given[0]) && given[1] >= 0:
      self = .entropyDynamic(base: given[0], theta: given[1])
    case ("entropy-levels", let given?)
    where given.count == 3 && Self.temperatures.contains(given[0]) && Self.temperatures.contains(given[1])
      && given[0] < given[1] && given[2] >= 0:
      self = .entropyLevels(low: given[0], high: given[1], threshold: given[2])
    case ("kl-ball", let given?) where given.count == 1 && (1e-6...100).contains(given[0]):
      self = .divergenceBall(radius: given[0])
    case ("dynamic-range", _) where parts.count > 1:
      guard let range = Self.dynamicRange(parts[1]) else { return nil }
      self = range
    default:
      guard parts.count == 1, let temperature = Double(text), Self.temperatures.contains(temperature) else {
        return nil
      }
      self = .fixed(temperature)
    }
  }

  /// Numbers with commas between them; nil if one is none.
  private static func numbers(_ text: String) -> [Double]? {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    return numbers.contains { $0?.isFinite != true } ? nil : numbers.compactMap { $0 }
  }

  private static func dynamicRange(_ text: String) -> PolicySpecification? {
    // From 0 on: what divides the logits is kept above.
    guard let dots = text.firstRange(of: ".."), let low = Double(text[..<dots.lowerBound]), low >= 0,
      let rest = numbers(String(text[dots.upperBound...])), (1...2).contains(rest.count),
      temperatures.contains(rest[0]), low < rest[0], rest.count == 1 || rest[1] > 0
    else { return nil }
    return .dynamicRange(low...rest[0], exponent: rest.count == 2 ? rest[1] : 1)
  }
}
