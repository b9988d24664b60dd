import Diagnostics
import Glibc

/// How robust a loss over V alternatives is: it guards against every distribution of them within `rho` nats of
/// Kullback-Leibler divergence from the uniform one (arXiv 2404.04575).
///
/// The best temperature is the one at which the tempered distribution has the entropy `ln V - rho`. A budget always has
/// such a temperature: `0 ≤ rho < ln V`.
public struct RobustBudget: Equatable, Sendable {
  /// V: the logits of a token, or the negatives of a pair.
  public let alternatives: Int
  /// In nats.
  public let rho: Double

  /// The entropy that the loss asks each tempered distribution to have, in nats.
  public var targetEntropy: Double { Self.targetEntropy(alternatives: alternatives, rho: rho) }

  /// `ln V - rho`, for a rho that was checked before, or whose loss is only evaluated.
  public static func targetEntropy(alternatives: Int, rho: Double) -> Double { log(Double(alternatives)) - rho }

  /// - Parameters:
  ///   - noun: what the alternatives are, for the message.
  ///   - place: the key or file that states rho, for the message.
  /// - Throws: `Failure(.badConfiguration)` unless `0 ≤ rho < ln V`.
  public init(alternatives: Int, rho: Double, of noun: String = "logits", at place: String? = nil) throws {
    let limit = log(Double(alternatives))
    guard rho >= 0, rho < limit else {
      throw Failure(
        .badConfiguration,
        "rho \(rho) cannot be met with \(alternatives) \(noun): it must be at least 0 and below ln \(alternatives) = "
          + "\(fixed(limit, digits: 4)), or every temperature runs to a bound", at: place)
    }
    (self.alternatives, self.rho) = (alternatives, rho)
  }

  /// The budget that stands for an entropy: `rho = ln V - entropy`.
  ///
  /// - Throws: `Failure(.badConfiguration)` unless `0 < entropy ≤ ln V`.
  public init(alternatives: Int, entropy: Double, of noun: String = "logits", at place: String? = nil) throws {
    let limit = log(Double(alternatives))
    guard entropy > 0, entropy <= limit else {
      throw Failure(
        .badConfiguration,
        "entropy \(entropy) cannot be met with \(alternatives) \(noun): it must be above 0 and at most "
          + "ln \(alternatives) = \(fixed(limit, digits: 4)) nats, or every temperature runs to a bound", at: place)
    }
    (self.alternatives, rho) = (alternatives, limit - entropy)
  }
}

/// A robustness budget as a configuration states it, before the number of alternatives is known.
public enum StatedBudget: Equatable, Sendable {
  /// In nats.
  case rho(Double)
  /// `ln V - rho`, in nats.
  case entropy(Double)

  /// - Parameter noun: what the alternatives are, for the message.
  /// - Throws: `Failure(.badConfiguration)`, at the key, where no temperature meets the budget.
  public func budget(alternatives: Int, of noun: String = "logits") throws -> RobustBudget {
    switch self {
    case .rho(let rho): try RobustBudget(alternatives: alternatives, rho: rho, of: noun, at: "rho")
    case .entropy(let entropy): try RobustBudget(alternatives: alternatives, entropy: entropy, of: noun, at: "entropy")
    }
  }
}
