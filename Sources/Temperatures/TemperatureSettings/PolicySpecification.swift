/// A temperature policy in words, as configurations and command lines have it:
///
///     0.7                          one temperature for every token
///     exact, exact:4.5             the optimum of the robust loss, for the entropy at hand or the one named
///     model                        the TempNet that was trained jointly with the model
///     entropy-dynamic:1,1.5        EDT with base 1 and theta 1.5
///     dynamic-range:0.5..1.5,1     llama.cpp's dynamic temperature; the exponent, 1, may be left out
///     entropy-levels:0.7,1.2,2     1.2 where the entropy exceeds 2 nats, 0.7 elsewhere
///     kl-ball:0.1                  the most uncertain distribution within 0.1 nats of the model's own
///     line-starts:0.8,0.6          0.8 for the first token of an indented line, 0.6 elsewhere (AdapT); to generate alone
///     turn                         one temperature, where the curve of the mean entropy turns (TURN)
///     kl-ball:tuned                the best setting of a family of rules on validation tokens, of a fixed number of them
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
  /// AdapT's two temperatures, which the tokens before decide, so that no record of a prediction answers it.
  case lineStarts(high: Double, low: Double)
  /// The single temperature at the turning point of the entropy curve (TURN, arXiv 2502.05234), which needs no labels.
  case turningPoint
  /// The setting of a family that validation tokens choose.
  case tuned(PolicyFamily)
  /// An artifact of kind `tempnet`, or a model with a TempNet of its own.
  case artifact(String)

  public var isTuned: Bool { if case .tuned = self { true } else { false } }

  /// Temperatures that divide logits within the range of float32.
  public static let temperatures = 1e-4...1e4

  private static let forms =
    "a temperature from 0.0001 to 10000, exact, exact:ENTROPY, model, entropy-dynamic:BASE,THETA, "
    + "dynamic-range:LOW..HIGH,EXPONENT, entropy-levels:LOW,HIGH,NATS"
  private static let lastForm = "kl-ball:NATS"
  /// What only an evaluation can find, on its validation tokens.
  private static let chosenForms =
    "turn, or one of \(PolicyFamily.allCases.map(\.rawValue).joined(separator: ", ")) with :tuned"
  /// The policies that are no TempNet of a file.
  public static let words = "\(forms) or \(lastForm)"
  /// Those of an evaluation.
  public static let evaluatedWords = "\(forms), \(lastForm), \(chosenForms)"
  public static let expectation =
    "\(forms), \(lastForm), line-starts:HIGH,LOW, or the path of a TempNet's artifact with a slash in it"

  private static let names = ["exact", "model", "turn", "line-starts"] + PolicyFamily.allCases.map(\.rawValue)
  /// Rules that look at more than a prediction's probabilities, or change which tokens may be drawn.
  private static let unanswerable = [
    "turn-sampling": "draws texts at every temperature; turn finds the temperature from the text that is scored",
    "top-k": "rules tokens out", "top-p": "rules tokens out", "min-p": "rules tokens out",
    "typical": "rules tokens out", "top-n-sigma": "rules tokens out", "entropy-equilibrium": "rules tokens out",
    "dynamic-range-after-cuts": "looks only at the tokens that are left after cuts",
    "line-starts": "depends on the tokens before", "adaptive-p": "depends on the tokens drawn before",
    "mirostat": "depends on the tokens drawn before",
  ]

  /// Why a rule of this name cannot be evaluated on scored text; nil for other words.
  public static func reasonAgainst(_ text: String) -> String? {
    unanswerable[String(text.prefix { $0 != ":" })].map { reason in
      "\(text) \(reason), so no record of a prediction answers it"
    }
  }

  /// Whether a text that may be a path is rather meant as one of `words`, be it a wrong one.
  public static func isWords(_ text: String) -> Bool {
    let first = String(text.unicodeScalars.prefix { $0 != ":" })
    return Double(text) != nil || names.contains(first) || unanswerable[first] != nil
  }

  /// Nil for words that are no policy.
  public init?(_ text: String) {
    if text.utf8.contains(UInt8(ascii: "/")) {
      self = .artifact(text)
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, parts[1] == "tuned", let family = PolicyFamily(rawValue: parts[0]) {
      self = .tuned(family)
      return
    }
    let numbers = parts.count > 1 ? Self.numbers(parts[1]) : []
    switch (parts[0], numbers) {
    case ("exact", []?) where parts.count == 1: self = .exact(entropy: nil)
    case ("exact", let given?) where given.count == 1 && given[0] > 0: self = .exact(entropy: given[0])
    case ("model", []?) where parts.count == 1: self = .model
    case ("line-starts", let given?)
    where given.count == 2 && given.allSatisfy(Self.temperatures.contains) && given[1] < given[0]:
      self = .lineStarts(high: given[0], low: given[1])
    case ("turn", []?) where parts.count == 1: self = .turningPoint
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
