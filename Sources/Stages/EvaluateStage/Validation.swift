import Diagnostics
import Glibc
import JSON
import ScoreStage
import TempNet
import TemperatureSettings
import Torch

/// The figures that the validation split decides before the test split is read.
struct Validation: Equatable {
  /// The mean entropy of the model's predictions at temperature 1, in nats.
  let entropy: Double
  /// The single temperature with the least mean cross-entropy.
  let best: Double
  /// The single temperature with the least mean robust loss.
  let bestRobust: Double
  /// The budget of that loss, in nats.
  let rho: Double
  /// TURN's temperature.
  let turningPoint: Double
  /// The number of tokens that decided.
  let tokens: Int
}

/// A pass over records of the validation split that sums the profiles from which single temperatures follow.
struct ValidationPass {
  let records: any RecordPasses
  let bounds: ClosedRange<Double>
  /// Nil for the budget at which temperature 1 is right on average.
  let rho: Double?

  /// - Throws: `.badConfiguration` where the records do not answer the temperatures between the bounds.
  func run() throws -> Validation {
    var sums: ProfileSums?
    var vocabulary = 0
    let progress = Progress("validation", unit: "tokens", total: records.rows)
    for index in 0..<records.passCount {
      try Interruption.check()
      let pass = try records.records(ofPass: index)
      guard pass.profile.grid.covers(bounds) else {
        let answered = RecordGrid.bounds(of: pass.profile.grid)
        throw Failure(
          .badConfiguration,
          "the records answer temperatures from \(shortest(answered.lowerBound)) to \(shortest(answered.upperBound)), not "
            + "from \(shortest(bounds.lowerBound)) to \(shortest(bounds.upperBound)); score again with other bounds",
          at: "tau_min, tau_max")
      }
      vocabulary = pass.vocabulary
      var sum = sums ?? ProfileSums(pass.profile.grid)
      sum.add(pass)
      sums = sum
      progress.update(records.offsets[index + 1])
    }
    progress.finish()
    let found = sums!
    let budget =
      try self.rho.map { try RobustBudget(alternatives: vocabulary, rho: $0) }
      ?? RobustBudget(alternatives: vocabulary, entropy: found.entropy)
    return Validation(
      entropy: found.entropy,
      best: SingleTemperature.crossEntropy(profile: found.profile, targets: Tensor([found.target]), bounds: bounds),
      bestRobust: SingleTemperature.robust(
        profile: found.profile, entropy: budget.targetEntropy, bounds: bounds),
      rho: budget.rho, turningPoint: found.turningPoint, tokens: found.count)
  }
}

/// Sums over tokens of their temperature profiles.
private struct ProfileSums {
  private let grid: TemperatureGrid
  private var value: Tensor
  private var slope: Tensor
  private var variance: Tensor
  private var targetSum = 0.0
  private var entropySum = 0.0
  private(set) var count = 0

  init(_ grid: TemperatureGrid) {
    self.grid = grid
    let zeros = Tensor.zeros([1, grid.count], dtype: .float64)
    (value, slope, variance) = (zeros, zeros, zeros)
  }

  mutating func add(_ records: TokenRecords) {
    let rows = Double(records.count)
    let mean = records.profile.mean
    value = value + mean.value.to(.cpu) * rows
    slope = slope + mean.entropy.to(.cpu) * rows
    variance = variance + mean.variance.to(.cpu) * rows
    targetSum += records.target.sum().item
    entropySum += records.entropy.sum().item
    count += records.count
  }

  /// The mean profile, a single row.
  var profile: TemperatureProfile {
    let tokens = Double(count)
    return TemperatureProfile(grid: grid, value: value / tokens, entropy: slope / tokens, variance: variance / tokens)
  }

  /// The mean logit of the labels, counted from the largest.
  var target: Double { targetSum / Double(count) }
  var entropy: Double { entropySum / Double(count) }

  /// From the mean entropies at the temperatures of the published search; a profile's mean entropy is that of its rows.
  var turningPoint: Double {
    let bounds = grid.bounds
    return TurningPoint.temperature(
      entropies: TurningPoint.temperatures.map { temperature in
        let inside = min(max(temperature, bounds.lowerBound), bounds.upperBound)
        return max(profile(at: inside).entropy.item, 1e-12)
      })
  }
}

// MARK: - Checkpoint

extension Validation {
  var json: JSON {
    [
      "entropy": .number(entropy), "best": .number(best), "best_robust": .number(bestRobust), "rho": .number(rho),
      "turning_point": .number(turningPoint), "tokens": .integer(tokens),
    ]
  }

  init(_ json: JSON, source: String) throws {
    var members = try JSONFields(json, source: source)
    entropy = try members.number("entropy")
    best = try members.number("best")
    bestRobust = try members.number("best_robust")
    rho = try members.number("rho")
    turningPoint = try members.number("turning_point")
    tokens = try members.integer("tokens")
    try members.finish()
  }
}
