import EncoderDescriptions
import Pairs
import Statistics

/// All runs that are compared with each other, over the same pairs.
public struct RetrievalStudy: Sendable {
  /// Runs of one loss and one setting, which differ by their seeds.
  public struct Arm: Sendable {
    public let name: String
    public let family: String
    public let singleTemperature: LogitScale.Origin?
    /// Indices into the study's runs.
    public let runs: [Int]
  }

  public let runs: [RetrievalRun]
  /// By split; validation first, then the tests.
  public let sets: [RetrievalSet]
  /// In the order in which they were given.
  public let arms: [Arm]
  /// What was tried of each family, scored by mean recall on validation; empty without validation pairs.
  public let tried: [TriedSettings]

  public init(runs: [RetrievalRun], sets: [RetrievalSet]) {
    self.runs = runs
    self.sets = sets
    var arms: [Arm] = []
    for run in runs where !arms.contains(where: { $0.name == run.name.arm }) {
      arms.append(
        Arm(
          name: run.name.arm, family: run.name.family, singleTemperature: run.name.singleTemperature,
          runs: runs.indices.filter { runs[$0].name.arm == run.name.arm }))
    }
    self.arms = arms
    guard sets.contains(where: { $0.split == .validation }) else {
      tried = []
      return
    }
    var families: [String] = []
    for arm in arms where !families.contains(arm.family) { families.append(arm.family) }
    tried = families.map { family in
      TriedSettings(
        family,
        trials: arms.filter { $0.family == family }.map { arm in
          let scores = arm.runs.compactMap { runs[$0].results[.validation]?.metrics.meanRecall }
          return TriedSettings.Trial(arm.name, score: scores.reduce(0, +) / Double(scores.count))
        }, isMoreBetter: true)
    }
  }

  public var tests: [RetrievalSet] { sets.filter { $0.split.isTest } }

  /// The arms that validation chose, one of each family; without validation pairs those of families with one arm.
  public var chosen: [Arm] {
    arms.filter { arm in
      tried.first { $0.family == arm.family }.map { $0.trials[$0.chosen].setting == arm.name }
        ?? (arms.count { $0.family == arm.family } == 1)
    }
  }

  /// What the others are compared with: CLIP at its best fixed temperature, and at a learned one.
  public var references: [Arm] {
    [LogitScale.Origin.fixed, .learned].compactMap { origin in
      chosen.filter { $0.singleTemperature == origin }.max { score(of: $0) < score(of: $1) }
    }
  }

  private func score(of arm: Arm) -> Double {
    tried.first { $0.family == arm.family }?.trials.first { $0.setting == arm.name }?.score ?? 0
  }

  /// The figures of an arm's runs on a split, in the order of the runs.
  public func values(_ metric: RetrievalMetric, of arm: Arm, on split: PairSplit) -> [Double] {
    arm.runs.compactMap { runs[$0].results[split].map { metric.value($0.metrics) } }
  }

  /// The run of an arm with a seed.
  func run(of arm: Arm, seed: Int?) -> RetrievalRun? { arm.runs.map { runs[$0] }.first { $0.name.seed == seed } }
}
