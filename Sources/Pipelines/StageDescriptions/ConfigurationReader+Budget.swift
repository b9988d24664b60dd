import Configuration
import TemperatureSettings

/// A robustness budget is stated by `rho`, or by its `entropy`. The stages differ in the meaning of an absent key, so that
/// keys of earlier results stay the same.
extension ConfigurationReader {
  private static var entropyHelp: String { "in place of rho: the entropy in nats that it stands for, ln V - rho" }

  /// A budget that has a default, an entropy.
  mutating func budget(default entropy: Double) throws -> StatedBudget {
    let rho = try optionalNumber("rho", in: .nonNegative, help: "robustness budget in nats, below ln V")
    let entropy = try value(
      "entropy", as: .optional(.number(in: .positive)), default: .some(rho == nil ? entropy : nil),
      help: Self.entropyHelp)
    guard let stated = try stated(rho, entropy) else {
      throw failure("entropy", with: ["rho"], "or rho has to be given")
    }
    return stated
  }

  /// A budget that may be absent.
  mutating func optionalBudget(help: String) throws -> StatedBudget? {
    let rho = try optionalNumber("rho", in: .nonNegative, help: help)
    return try stated(rho, optionalNumber("entropy", in: .positive, help: Self.entropyHelp))
  }

  /// A budget whose `rho` may be `auto`; nil stands for that.
  mutating func budgetOrAuto(help: String) throws -> StatedBudget? {
    let rho = try numberOrAuto("rho", in: 0...100, help: help)
    return try stated(rho, optionalNumber("entropy", in: 0...100, help: Self.entropyHelp))
  }

  /// A budget whose `entropy` may be `auto`, the model's mean at temperature 1; nil stands for that.
  mutating func budgetOrMeanEntropy() throws -> StatedBudget? {
    let rho = try optionalNumber("rho", in: .nonNegative, help: "robustness in nats, from 0 to below ln V")
    let entropy = try numberOrAuto(
      "entropy", in: .positive, help: "\(Self.entropyHelp); auto is the model's mean at temperature 1")
    // Together with rho, even `auto` states the budget twice.
    return try stated(rho, entropy, isTwice: rho != nil && isGiven("entropy"))
  }

  private func stated(_ rho: Double?, _ entropy: Double?, isTwice: Bool = false) throws -> StatedBudget? {
    if isTwice || rho != nil && entropy != nil {
      throw failure("entropy", with: ["rho"], "stands for rho; give one of them")
    }
    return entropy.map { .entropy($0) } ?? rho.map { .rho($0) }
  }
}
