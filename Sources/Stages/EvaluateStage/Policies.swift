import Artifacts
import Diagnostics
import Glibc
import LanguageEvaluation
import Reports
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch

/// A temperature policy with the words that a report uses for it.
struct NamedPolicy {
  let name: String
  let title: String
  let kind: PolicyKind
  let policy: TemperaturePolicy

  /// The number of the model, from 1, where it is another than the evaluated one, so that entropies and likeliest tokens
  /// differ too.
  var baseline: Int?
  var isOfOtherModel: Bool { baseline != nil }

  /// The policies of a model to compare with: temperature 1, its own best single temperature by cross-entropy, and the
  /// TempNet that was trained with it, if there is one that can be asked.
  static func baseline(number: Int, best: Double, own: TemperatureNetwork?) -> [NamedPolicy] {
    let (name, model) = (
      PolicyName.baseline + (number == 1 ? "" : "-\(number)"),
      "the baseline model" + (number == 1 ? "" : " \(number)")
    )
    return [
      NamedPolicy(
        name: name, title: "\(model) at temperature 1", kind: .baseline, policy: .fixed(1),
        baseline: number),
      NamedPolicy(
        name: "\(name)-best", title: "\(model) at its best single temperature (\(fixed(best, digits: 4)))",
        kind: .baseline, policy: .fixed(best), baseline: number),
    ]
      + (own.map {
        [
          NamedPolicy(
            name: "\(name)-\(PolicyName.model)", title: "\(model) with its own TempNet", kind: .baseline,
            policy: .tempnet($0), baseline: number)
        ]
      } ?? [])
  }

  /// The range of the temperatures, where it is the policy's own.
  var bounds: ClosedRange<Double>? {
    switch policy {
    case .tempnet(let network): network.settings.bounds
    case .entropyDynamic(let base, _): 0...base
    case .dynamicRange(let range, _): range
    case .entropyLevels(let low, let high, _): low...high
    case .fixed, .exact, .divergenceBall: nil
    }
  }
}

/// The TempNets of an evaluation: those that were given as inputs, the model's own, and further ones.
struct EvaluatedTempNets {
  let fitted: [TemperatureNetwork]
  let fittedTitles: [String]
  /// What each fitted TempNet was trained to minimise; `imported` where that is not known.
  let fittedObjectives: [String]
  let own: TemperatureNetwork?
  let further: [(name: String, network: TemperatureNetwork)]

  /// Loads them all and checks that they are for logits like the model's.
  init(_ request: StageRequest<Evaluate>, _ subject: Subject, device: Device) throws {
    func load(_ path: String) throws -> TemperatureNetwork {
      try TemperatureNetwork.load(path, vocabulary: subject.vocabulary, width: subject.width, device: device)
    }
    let artifacts = request.inputs.artifacts("tempnet")
    fitted = try artifacts.map { try load($0.file(TempNetFile.name)) }
    fittedTitles = Self.titles(artifacts)
    fittedObjectives = artifacts.map { $0.manifest.configuration["objective"]?.stringValue ?? "imported" }
    own = try subject.ownTempNet.map(load)
    further = try request.configuration.policies.compactMap { name, policy in
      guard case .artifact(let path) = policy else { return nil }
      return (name, try load("\(path)/\(TempNetFile.name)"))
    }
  }

  /// The names of the policies of fitted TempNets.
  var fittedNames: [String] {
    fitted.indices.map { PolicyName.tempnet + ($0 == 0 ? "" : "-\($0 + 1)") }
  }

  /// Fitted TempNets that differ in settings other than the objective: what was tried of each objective.
  var families: [(family: String, names: [String], networks: [TemperatureNetwork])] {
    var objectives: [String] = []
    for objective in fittedObjectives where !objectives.contains(objective) { objectives.append(objective) }
    return objectives.map { objective in
      let members = fitted.indices.filter { fittedObjectives[$0] == objective }
      return (EvaluationContext.tempNetFamily(objective), members.map { fittedNames[$0] }, members.map { fitted[$0] })
    }
  }

  /// The titles of fitted TempNets in a report: their number, and the settings in which they differ.
  static func titles(_ artifacts: [Artifact]) -> [String] {
    let settings = artifacts.map { $0.manifest.configuration.objectValue ?? [:] }
    let names = settings.first.map { $0.keys.sorted() } ?? []
    let differing = names.filter { name in
      let values = settings.compactMap { $0[name]?.compact }
      // A setting that one of them lacks, as imported TempNets do, cannot distinguish the others.
      return values.count == settings.count && Set(values).count > 1
    }
    return settings.enumerated().map { index, own in
      let words = differing.compactMap { name -> String? in
        guard let value = own[name], !value.isNull else { return nil }
        return "\(name.replacing("_", with: " ")) \(value.stringValue ?? value.compact)"
      }
      return "the fitted TempNet" + (index == 0 ? "" : " \(index + 1)")
        + (words.isEmpty ? "" : " (\(words.joined(separator: ", ")))")
    }
  }

  /// The TempNet whose settings replace `auto` in the configuration, with its title in the report; fitted ones come
  /// first.
  var leading: (settings: TempNetSettings, title: String)? {
    if let network = fitted.first { return (network.settings, "the fitted TempNet") }
    if let own { return (own.settings, "the model's TempNet") }
    return further.first.map { ($0.network.settings, "the TempNet \($0.name)") }
  }
}

/// The robust loss by which policies are measured, as far as it is known before the validation pass.
struct LossSettings {
  /// The range of single and exact temperatures.
  let bounds: ClosedRange<Double>
  /// Nil where the mean entropy on the validation split decides.
  let rho: Double?
  /// Where rho comes from, for the report.
  let origin: String

  init(_ configuration: EvaluateConfiguration, _ networks: EvaluatedTempNets, vocabulary: Int) throws {
    let automatic = networks.leading?.settings.bounds ?? TemperaturePolicy.widestBounds
    let (low, high) = (configuration.tauMin ?? automatic.lowerBound, configuration.tauMax ?? automatic.upperBound)
    guard low < high else {
      throw Failure(
        .badConfiguration, "the least temperature, \(low), is not below the greatest, \(high)", at: "tau_min, tau_max")
    }
    bounds = low...high
    if let stated = configuration.budget {
      rho = try stated.budget(alternatives: vocabulary).rho
      origin = if case .entropy = stated { "the configured entropy" } else { "the configuration" }
    } else if let (settings, title) = networks.leading {
      rho = settings.rho
      origin = title
    } else {
      rho = nil
      origin = "the mean entropy at temperature 1 on the validation split"
    }
  }
}

/// The policies that a configuration names, made before anything is measured, so that an impossible one is refused at
/// once.
struct FurtherPolicies {
  /// Nil stands for what the validation split decides: the exact optimum of the loss that is measured, TURN's temperature and
  /// tuned rules.
  private let policies: [(name: String, specification: PolicySpecification, policy: TemperaturePolicy?)]

  private let configuration: EvaluateConfiguration

  init(
    _ configuration: EvaluateConfiguration, _ networks: EvaluatedTempNets, _ loss: LossSettings, vocabulary: Int
  ) throws {
    self.configuration = configuration
    policies = try configuration.policies.map { name, specification in
      if specification.isChosen { return (name, specification, nil) }
      let policy = try Failure.locating("policy \(name)") {
        try TemperaturePolicy(specification, own: networks.own, bounds: loss.bounds, vocabulary: vocabulary) { _ in
          networks.further.first { $0.name == name }!.network
        }
      }
      return (name, specification, policy)
    }
  }

  /// The temperatures that policies name, and those of the loss.
  func bounds(with loss: ClosedRange<Double>) -> ClosedRange<Double> {
    let named = policies.flatMap { _, specification, _ -> [Double] in
      switch specification {
      case .fixed, .entropyLevels, .dynamicRange, .entropyDynamic: specification.temperatures
      case .tuned(let family): family.settings(configuration.tuning, entropy: 1).flatMap(\.temperatures)
      case .exact, .model, .artifact, .divergenceBall, .lineStarts, .turningPoint: []
      }
    }
    return named.reduce(loss) { min($0.lowerBound, $1)...max($0.upperBound, $1) }
  }

  /// The families whose settings validation tokens choose, each once.
  var tuned: [PolicyFamily] {
    PolicyFamily.allCases.filter { family in policies.contains { $0.specification == .tuned(family) } }
  }

  func named(exact: TemperaturePolicy, _ validation: Validation, _ tuning: Tuning) -> [NamedPolicy] {
    policies.map { name, specification, policy in
      switch specification {
      case .turningPoint:
        NamedPolicy(
          name: name, title: "TURN's single temperature (\(fixed(validation.turningPoint, digits: 1)))", kind: .formula,
          policy: .fixed(validation.turningPoint))
      case .tuned(let family):
        NamedPolicy(
          name: name, title: "\(tuning.chosen(family).title(named: name)), tuned", kind: .formula,
          policy: tuning.policy(family))
      default:
        NamedPolicy(
          name: name, title: specification.title(named: name), kind: specification.kind, policy: policy ?? exact)
      }
    }
  }
}

extension PolicySpecification {
  /// Whether the validation split decides the setting.
  fileprivate var isChosen: Bool {
    switch self {
    case .turningPoint, .tuned: true
    default: false
    }
  }

  /// The temperatures that the policy names. Formulas in the entropy fall lower only where a prediction is certain.
  fileprivate var temperatures: [Double] {
    switch self {
    case .fixed(let temperature): [temperature]
    case .entropyLevels(let low, let high, _): [low, high]
    case .dynamicRange(let range, _): [range.upperBound]
    case .entropyDynamic(let base, _): [base]
    case .exact, .model, .artifact, .divergenceBall, .lineStarts, .turningPoint, .tuned: []
    }
  }

  /// What a report calls the policy of this name.
  func title(named name: String) -> String {
    switch self {
    case .fixed(let temperature): "temperature \(temperature)"
    case .exact(let entropy): "the exact optimum" + (entropy.map { " for an entropy of \(shortest($0))" } ?? "")
    case .model: "the model's own TempNet"
    case .entropyDynamic(let base, let theta): "entropy-dynamic, base \(shortest(base)), theta \(shortest(theta))"
    case .dynamicRange(let range, let exponent):
      "dynamic range \(shortest(range.lowerBound)) to \(shortest(range.upperBound))"
        + (exponent == 1 ? "" : ", exponent \(shortest(exponent))")
    case .entropyLevels(let low, let high, let threshold):
      "temperature \(shortest(high)) above an entropy of \(shortest(threshold)), \(shortest(low)) elsewhere"
    case .divergenceBall(let radius):
      "the most uncertain distribution within \(shortest(radius)) nats of the model's own, as far as records go"
    case .artifact: "the TempNet \(name)"
    case .lineStarts: "line starts"
    case .turningPoint: "TURN's single temperature"
    case .tuned(let family): "\(family.rawValue), tuned"
    }
  }

  fileprivate var kind: PolicyKind {
    switch self {
    case .fixed: .fixed
    case .exact: .exact
    case .model, .artifact: .tempnet
    case .entropyDynamic, .dynamicRange, .entropyLevels, .divergenceBall, .lineStarts, .turningPoint, .tuned: .formula
    }
  }
}

/// The policies of an evaluation in the order of its report. The exact optimum of the measured loss precedes other exact
/// ones: gaps are counted to the first.
func policies(
  _ networks: EvaluatedTempNets, _ further: FurtherPolicies, _ validation: Validation, _ tuning: Tuning,
  _ loss: LossSettings,
  vocabulary: Int
) throws -> [NamedPolicy] {
  let budget = try RobustBudget(alternatives: vocabulary, rho: validation.rho)
  let exact = TemperaturePolicy.exact(entropy: budget.targetEntropy, bounds: loss.bounds)
  func short(_ temperature: Double) -> String { fixed(temperature, digits: 4) }
  var list = [
    NamedPolicy(name: PolicyName.one, title: "temperature 1", kind: .fixed, policy: .fixed(1)),
    NamedPolicy(
      name: PolicyName.best, title: "the best single temperature by cross-entropy (\(short(validation.best)))",
      kind: .bestCrossEntropy, policy: .fixed(validation.best)),
    NamedPolicy(
      name: PolicyName.bestRobust,
      title: "the best single temperature by robust loss (\(short(validation.bestRobust)))",
      kind: .bestRobustLoss, policy: .fixed(validation.bestRobust)),
  ]
  if let own = networks.own {
    list.append(
      NamedPolicy(name: PolicyName.model, title: "the model's own TempNet", kind: .tempnet, policy: .tempnet(own)))
  }
  for (index, network) in networks.fitted.enumerated() {
    list.append(
      NamedPolicy(
        name: networks.fittedNames[index], title: networks.fittedTitles[index], kind: .tempnet,
        policy: .tempnet(network)))
  }
  list.append(NamedPolicy(name: PolicyName.exact, title: "the exact optimum", kind: .exact, policy: exact))
  return list + further.named(exact: exact, validation, tuning)
}
