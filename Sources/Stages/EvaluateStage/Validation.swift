import Diagnostics
import Glibc
import JSON
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
  /// The number of tokens that decided.
  let tokens: Int
}

/// A pass over the validation split, or a sample of it, that sums the profiles from which single temperatures follow.
struct ValidationPass {
  let forward: Forward
  let bounds: ClosedRange<Double>
  /// Nil for the budget at which temperature 1 is right on average.
  let rho: Double?
  let sample: Int

  func run() throws -> Validation {
    let indices = forward.windows.sample(tokens: sample)
    var sums = ProfileSums(TemperatureGrid(covering: bounds, nodesPerOctave: 4))
    let progress = Progress("validation", unit: "windows", total: indices.count)
    for start in stride(from: 0, to: indices.count, by: forward.windowsPerBatch) {
      try Interruption.check()
      let batch = indices[start..<min(start + forward.windowsPerBatch, indices.count)]
      try forward.run(batch) { sums.add(logits: $0.logits, labels: $0.labels) }
      progress.update(start + batch.count)
    }
    progress.finish()
    let vocabulary = forward.model.configuration.vocabulary
    let budget =
      try self.rho.map { try RobustBudget(alternatives: vocabulary, rho: $0) }
      ?? RobustBudget(alternatives: vocabulary, entropy: sums.entropy)
    return Validation(
      entropy: sums.entropy,
      best: SingleTemperature.crossEntropy(profile: sums.profile, targets: Tensor([sums.target]), bounds: bounds),
      bestRobust: SingleTemperature.robust(
        profile: sums.profile, entropy: budget.entropy, bounds: bounds),
      rho: budget.rho, tokens: sums.count)
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

  mutating func add(logits: Tensor, labels: Tensor) {
    let profile = TemperatureProfile.compute(logits: logits, grid: grid)
    let rows = Double(logits.size(0))
    let mean = profile.mean
    value = value + mean.value.to(.cpu) * rows
    slope = slope + mean.entropy.to(.cpu) * rows
    variance = variance + mean.variance.to(.cpu) * rows
    let maximum = logits.maximum(-1, keeping: true)
    targetSum += (logits.gathered(1, labels.unsqueezed(1)) - maximum).to(.float64).sum().item
    entropySum += TemperedStatistics(logits: logits).entropy.sum().item
    count += logits.size(0)
  }

  /// The mean profile, a single row.
  var profile: TemperatureProfile {
    let tokens = Double(count)
    return TemperatureProfile(grid: grid, value: value / tokens, entropy: slope / tokens, variance: variance / tokens)
  }

  /// The mean logit of the labels, counted from the largest.
  var target: Double { targetSum / Double(count) }
  var entropy: Double { entropySum / Double(count) }
}

// MARK: - Checkpoint

extension Validation {
  var json: JSON {
    [
      "entropy": .number(entropy), "best": .number(best), "best_robust": .number(bestRobust), "rho": .number(rho),
      "tokens": .integer(tokens),
    ]
  }

  init(_ json: JSON, source: String) throws {
    var members = try JSONFields(json, source: source)
    entropy = try members.number("entropy")
    best = try members.number("best")
    bestRobust = try members.number("best_robust")
    rho = try members.number("rho")
    tokens = try members.integer("tokens")
    try members.finish()
  }
}
