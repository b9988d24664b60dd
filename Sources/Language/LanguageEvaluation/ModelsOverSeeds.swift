import Diagnostics
import JSON
import Pages
import Reports
import Statistics

/// A model of an evaluation: the evaluated one or one that it is compared with.
public struct EvaluatedModel: Equatable, Sendable {
  /// The settings in which it differs from the others, its seed apart: models of one arm differ by seed.
  public let arm: String
  /// Of its training; nil where that is not known.
  public let seed: Int?
  /// How it trained its weights: `cross_entropy`; nil where that is not known.
  public let objective: String?
  /// The names of its policies by what they are.
  public let policies: [Role: String]

  /// The policies that every model has, or that those with a TempNet have.
  public enum Role: String, CaseIterable, Sendable {
    case one = "temperature 1"
    case best = "best single temperature"
    case tempnet = "own TempNet"
  }

  public init(arm: String, seed: Int?, objective: String?, policies: [Role: String]) {
    (self.arm, self.seed, self.objective, self.policies) = (arm, seed, objective, policies)
  }

  /// The models that were trained as these configurations say. Their arms are named by the settings that differ.
  public static func models(_ configurations: [JSON], policies: [[Role: String]]) -> [EvaluatedModel] {
    let flat = configurations.map { settings($0, at: "") }
    let names = Set(flat.flatMap(\.keys)).subtracting(["seed"]).sorted()
    let differing = names.filter { name in Set(flat.map { $0[name] ?? "" }).count > 1 }
    return zip(zip(configurations, flat), policies).map { entry, policies in
      let words = differing.compactMap { name in entry.1[name].map { "\(name)=\($0)" } }
      return EvaluatedModel(
        arm: words.isEmpty ? "the model" : words.joined(separator: ", "), seed: entry.0["seed"]?.intValue,
        objective: entry.0["objective"]?.stringValue, policies: policies)
    }
  }

  /// The leaves of a configuration with the names of their places.
  private static func settings(_ json: JSON, at place: String) -> [String: String] {
    guard let members = json.objectValue else { return place.isEmpty ? [:] : [place: json.stringValue ?? json.compact] }
    return members.reduce(into: [:]) { result, member in
      result.merge(settings(member.value, at: place.isEmpty ? member.key : "\(place).\(member.key)")) { own, _ in own }
    }
  }
}

/// Models that differ by seed, as one line for each arm and policy: how much a training run matters.
struct ModelsOverSeeds {
  struct Row {
    let arm: String
    let role: EvaluatedModel.Role
    /// By seed, in the order in which the models were given.
    let crossEntropies: [Double]
    let calibrationErrors: [Double]
    /// Less the reference at temperature 1, paired by seed; empty for the reference itself.
    let differences: SeedDifferences
    let verdict: Verdict?
  }

  /// The plainly trained arm if there is one, at temperature 1.
  let reference: String
  let rows: [Row]
  private let confidence: Double

  /// Nil where no seeds differ.
  init?(_ models: [EvaluatedModel], _ metrics: TextMetrics) {
    guard Set(models.compactMap(\.seed)).count > 1 else { return nil }
    var arms: [String] = []
    for model in models where !arms.contains(model.arm) { arms.append(model.arm) }
    let plain = models.first { $0.objective == "cross_entropy" }?.arm ?? arms[0]
    func figures(_ model: EvaluatedModel, _ role: EvaluatedModel.Role) -> PolicyMetrics? {
      model.policies[role].flatMap { name in metrics.policies.first { $0.name == name } }
    }
    func crossEntropy(ofPlain seed: Int?) -> Double? {
      models.first { $0.arm == plain && $0.seed == seed }.flatMap { figures($0, .one)?.crossEntropy }
    }
    let rules = metrics.rules
    rows = arms.flatMap { arm in
      EvaluatedModel.Role.allCases.compactMap { role in
        let own = models.filter { $0.arm == arm }.compactMap { model in
          figures(model, role).map { (seed: model.seed, figures: $0) }
        }
        guard !own.isEmpty else { return nil }
        let isReference = arm == plain && role == .one
        let differences = SeedDifferences(
          isReference
            ? []
            : own.compactMap { own in crossEntropy(ofPlain: own.seed).map { own.figures.crossEntropy - $0 } })
        return Row(
          arm: arm, role: role, crossEntropies: own.map(\.figures.crossEntropy),
          calibrationErrors: own.map(\.figures.calibration.expectedError), differences: differences,
          verdict: Self.verdict(differences, rules))
      }
    }
    reference = plain
    confidence = rules.confidence
  }

  private static func verdict(_ differences: SeedDifferences, _ rules: ComparisonRules) -> Verdict? {
    guard let interval = differences.interval(confidence: rules.confidence),
      let narrow = differences.interval(confidence: 2 * rules.confidence - 1)
    else { return nil }
    return Verdict(simultaneous: interval, narrow: narrow, margin: rules.margins.loss, isMoreBetter: false)
  }

  var table: Table {
    Table(
      "Models over seeds, nats per token",
      columns: [
        .text("model"), .text("policy"), .number("seeds"), .number("cross-entropy"), .text("by seed"), .number("ECE"),
        .number("difference"), .text("\(wholePercent(confidence)) t interval"), .text("verdict"),
      ],
      rows: rows.map { row in
        let interval = row.differences.interval(confidence: confidence)
        return [
          row.arm, row.role.rawValue, "\(row.crossEntropies.count)", fourDigits(mean(row.crossEntropies)),
          row.crossEntropies.map(fourDigits).joined(separator: "  "), percent(mean(row.calibrationErrors)),
          row.differences.estimate.map { signed($0) } ?? "–",
          interval.map { "\(fourDigits($0.low)) to \(fourDigits($0.high))" } ?? "–", row.verdict?.rawValue ?? "–",
        ]
      })
  }

  var note: String {
    "Each model was trained again with other seeds. Differences are those from \(reference) at temperature 1 with the same "
      + "seed; their t interval tells how much a training run matters, and needs \(SeedDifferences.fewestSeeds) seeds."
  }

  var json: JSON {
    .array(
      rows.map { row in
        [
          "model": .string(row.arm), "policy": .string(row.role.rawValue),
          "cross_entropy": .array(row.crossEntropies.map(JSON.number)),
          "calibration_error": .array(row.calibrationErrors.map(JSON.number)),
          "difference": .number(orNull: row.differences.estimate),
          "interval": row.differences.interval(confidence: confidence)?.json ?? .null,
          "verdict": row.verdict.map { JSON.string($0.rawValue) } ?? .null,
        ]
      })
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
