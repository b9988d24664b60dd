import Diagnostics
import Glibc
import JSON

/// Slower rotation of positions, by which a model that was trained on short windows reads longer ones.
public enum RotaryScaling: Equatable, Sendable {
  case none
  /// All frequencies divided by a factor (Chen et al. 2023).
  case linear(factor: Double)
  /// In windows longer than `original` the base grows with the window's length ("dynamic NTK").
  case dynamic(factor: Double, original: Int)
  /// Llama 3's: low frequencies divided by a factor, high ones left alone, those between them blended.
  case llama3(factor: Double, low: Double, high: Double, original: Int)
  /// Each frequency divided by a factor of its own, as GGUF files store them.
  case factors([Double])

  /// The angle by which each pair of elements turns from one position to the next.
  ///
  /// - Parameters:
  ///   - half: how many pairs there are.
  ///   - length: of the window.
  package func frequencies(base: Double, half: Int, length: Int) -> [Double] {
    func plain(_ base: Double) -> [Double] { (0..<half).map { pow(base, -Double($0) / Double(half)) } }
    switch self {
    case .none: return plain(base)
    case .linear(let factor): return plain(base).map { $0 / factor }
    case .dynamic(let factor, let original):
      guard length > original else { return plain(base) }
      let stretch = factor * Double(length) / Double(original) - (factor - 1)
      return plain(base * pow(stretch, Double(half) / Double(half - 1)))
    case .llama3(let factor, let low, let high, let original):
      return plain(base).map { frequency in
        // How many turns the original window holds.
        let turns = Double(original) * frequency / (2 * .pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let weight = (turns - low) / (high - low)
        return (1 - weight) * frequency / factor + weight * frequency
      }
    case .factors(let factors): return zip(plain(base), factors).map { $0 / $1 }
    }
  }

  /// In windows longer than this the frequencies depend on the window's length; nil where they never do.
  public var constantLength: Int? {
    if case .dynamic(_, let original) = self { original } else { nil }
  }

  package func dependsOnLength(_ length: Int) -> Bool { constantLength.map { length > $0 } ?? false }

  /// Says what is wrong with the values; nil if nothing is.
  ///
  /// - Parameter half: how many pairs of elements turn.
  func problem(half: Int) -> String? {
    func isFactor(_ value: Double) -> Bool { value >= 1 && value <= 1e6 }
    switch self {
    case .none: return nil
    case .linear(let factor): return isFactor(factor) ? nil : "has a factor of \(factor), not one from 1 to 1e6"
    case .dynamic(let factor, let original):
      guard isFactor(factor) else { return "has a factor of \(factor), not one from 1 to 1e6" }
      guard half > 1 else { return "needs more than one pair of elements" }
      return original > 0 ? nil : "has an original context of \(original)"
    case .llama3(let factor, let low, let high, let original):
      guard isFactor(factor) else { return "has a factor of \(factor), not one from 1 to 1e6" }
      guard low > 0, low < high, high.isFinite else {
        return "has frequency factors \(low) and \(high), not 0 < low < high"
      }
      return original > 0 ? nil : "has an original context of \(original)"
    case .factors(let factors):
      guard factors.count == half else { return "has \(factors.count) factors for \(half) frequencies" }
      return factors.allSatisfy { $0 > 0 && $0.isFinite } ? nil : "has factors that are not positive numbers"
    }
  }
}

extension RotaryScaling {
  /// What `config.json` says; nil for `.none`, which it leaves out.
  package var json: JSON? {
    switch self {
    case .none: nil
    case .linear(let factor): ["kind": "linear", "factor": .number(factor)]
    case .dynamic(let factor, let original):
      ["kind": "dynamic", "factor": .number(factor), "original_context": .integer(original)]
    case .llama3(let factor, let low, let high, let original):
      [
        "kind": "llama3", "factor": .number(factor), "low_frequency_factor": .number(low),
        "high_frequency_factor": .number(high), "original_context": .integer(original),
      ]
    case .factors(let factors): ["kind": "factors", "factors": .array(factors.map { .number($0) })]
    }
  }

  package init(ifPresent fields: inout JSONFields?) throws {
    if fields == nil { self = .none } else { try self.init(&fields!) }
  }

  /// Reads what `json` writes.
  init(_ fields: inout JSONFields) throws {
    switch try fields.string("kind") {
    case "linear": self = .linear(factor: try fields.number("factor"))
    case "dynamic":
      self = .dynamic(factor: try fields.number("factor"), original: try fields.integer("original_context"))
    case "llama3":
      self = .llama3(
        factor: try fields.number("factor"), low: try fields.number("low_frequency_factor"),
        high: try fields.number("high_frequency_factor"), original: try fields.integer("original_context"))
    case "factors":
      let factors = try fields.array("factors").map(\.doubleValue)
      guard !factors.contains(nil) else { throw fields.failure("factors", "must hold numbers") }
      self = .factors(factors.compactMap { $0 })
    case let kind: throw fields.failure("kind", "is \"\(kind)\", expected linear, dynamic, llama3 or factors")
    }
    try fields.finish()
  }
}
