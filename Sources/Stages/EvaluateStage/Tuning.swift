import Diagnostics
import JSON
import LanguageEvaluation
import ScoreStage
import Statistics
import TempNet
import TemperatureSettings
import Torch

/// What was tried on validation tokens, by mean cross-entropy: the settings of tuned rules, and TempNets of one objective.
struct Tuning {
  private let settings: [(family: PolicyFamily, settings: [PolicySpecification])]
  private let networks: [(family: String, names: [String], networks: [TemperatureNetwork])]
  /// The mean cross-entropies in the order of the policies that were tried, in nats per token.
  private let scores: [Double]

  /// - Parameters:
  ///   - networks: families of TempNets; one that is alone has nothing to be chosen from, and is left out.
  ///   - count: settings of each family of rules.
  ///   - entropy: the mean at temperature 1 on the validation tokens.
  ///   - measure: gives the mean cross-entropies of policies on those tokens.
  init(
    _ families: [PolicyFamily], _ networks: [(family: String, names: [String], networks: [TemperatureNetwork])],
    count: Int, entropy: Double, measure: ([TemperaturePolicy]) throws -> [Double]
  ) throws {
    settings = families.map { ($0, $0.settings(count, entropy: entropy)) }
    let hasChoice = !families.isEmpty || networks.reduce(0) { $0 + $1.names.count } > 1
    self.networks = hasChoice ? networks : []
    let policies =
      settings.flatMap { $0.settings.map(Self.rule) }
      + self.networks.flatMap { $0.networks.map(TemperaturePolicy.tempnet) }
    scores = policies.isEmpty ? [] : try measure(policies)
    guard scores.count == policies.count else {
      throw Failure(.badData, "the scores of tuning are of other policies than those that are tried")
    }
  }

  private static func rule(_ setting: PolicySpecification) -> TemperaturePolicy {
    // These need neither a network nor an entropy of their own.
    switch setting {
    case .entropyDynamic(let base, let theta): .entropyDynamic(base: base, theta: theta)
    case .dynamicRange(let range, let exponent): .dynamicRange(range, exponent: exponent)
    case .entropyLevels(let low, let high, let threshold): .entropyLevels(low: low, high: high, threshold: threshold)
    case .divergenceBall(let radius): .divergenceBall(radius: radius)
    default: preconditionFailure("a family has rules alone")
    }
  }

  /// The families with their trials, less being better.
  var tried: [TriedSettings] {
    var rest = scores[...]
    func take(_ family: String, _ names: [String]) -> TriedSettings {
      let own = rest.prefix(names.count)
      rest = rest.dropFirst(names.count)
      return TriedSettings(
        family, trials: zip(names, own).map { TriedSettings.Trial($0, score: $1) }, isMoreBetter: false)
    }
    return settings.map { family, settings in
      take(family.rawValue, settings.map { $0.title(named: family.rawValue) })
    } + networks.map { take($0.family, $0.names) }
  }

  func chosen(_ family: PolicyFamily) -> PolicySpecification {
    var first = 0
    for (own, settings) in settings {
      if own == family {
        let range = first..<first + settings.count
        return settings[range.min { (scores[$0], $0) < (scores[$1], $1) }! - first]
      }
      first += settings.count
    }
    preconditionFailure("\(family) was not tuned")
  }

  func policy(_ family: PolicyFamily) -> TemperaturePolicy { Self.rule(chosen(family)) }
}

/// A pass over records of the validation split that gives the mean cross-entropy of each policy.
struct TuningPass {
  let records: any RecordPasses
  let head: (weight: Tensor, bias: Tensor?)?

  func run(_ policies: [TemperaturePolicy]) throws -> [Double] {
    let recorded = try RecordedPolicies(policies, head: head)
    var sums = [Double](repeating: 0, count: policies.count)
    let progress = Progress("tuning", unit: "tokens", total: records.rows)
    for index in 0..<records.passCount {
      try Interruption.check()
      let pass = try records.records(ofPass: index)
      for (policy, temperature) in recorded(pass).enumerated() {
        let losses = try Failure.locating("tuning") { try RecordedPrediction(pass, tau: temperature) }
        sums[policy] += losses.crossEntropy.sum().item
      }
      progress.update(records.offsets[index + 1])
    }
    progress.finish()
    return sums.map { $0 / Double(records.rows) }
  }
}
