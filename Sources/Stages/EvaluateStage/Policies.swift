import Artifacts
import Diagnostics
import Evaluation
import Glibc
import StageDescriptions
import TempNet
import Torch

/// A temperature policy with the words that a report uses for it.
struct NamedPolicy {
  let name: String
  let title: String
  let kind: PolicyKind
  let policy: TemperaturePolicy

  /// The range of a TempNet's temperatures.
  var bounds: ClosedRange<Double>? {
    guard case .tempnet(let network) = policy else { return nil }
    return network.settings.bounds
  }
}

/// The TempNets of an evaluation: those that were given as inputs, the model's own, and further ones.
struct Networks {
  let fitted: [TemperatureNetwork]
  let fittedTitles: [String]
  let own: TemperatureNetwork?
  let further: [(name: String, network: TemperatureNetwork)]

  /// Loads them all and checks that they are for logits like the model's.
  init(_ request: StageRequest<Evaluate>, vocabulary: Int, width: Int, device: Device) throws {
    func load(_ path: String) throws -> TemperatureNetwork {
      let network = try TemperatureNetwork.load(path)
      guard network.settings.vocabulary == vocabulary else {
        throw Failure(
          .badData, "is for \(network.settings.vocabulary) logits, but the model has \(vocabulary)", at: path)
      }
      guard [nil, width].contains(network.settings.width) else {
        throw Failure(
          .badData, "reads hidden states of \(network.settings.width ?? 0), but the model's have \(width)", at: path)
      }
      return network.mapped { $0.to(device) }
    }
    let artifacts = request.inputs.artifacts("tempnet")
    fitted = try artifacts.map { try load($0.file(Evaluate.tempnetFile)) }
    fittedTitles = Self.titles(artifacts)
    let model = request.inputs.model("model").artifact
    own = model?.contains(Evaluate.tempnetFile) == true ? try load(model!.file(Evaluate.tempnetFile)) : nil
    further = try request.configuration.policies.compactMap { name, policy in
      guard case .artifact(let path) = policy else { return nil }
      return (name, try load("\(path)/\(Evaluate.tempnetFile)"))
    }
  }

  /// What a report calls fitted TempNets: by number, and by the settings in which they differ.
  static func titles(_ artifacts: [Artifact]) -> [String] {
    let settings = artifacts.map { $0.manifest.configuration.objectValue ?? [:] }
    let names = settings.first.map { $0.keys.sorted() } ?? []
    let differing = names.filter { name in
      let values = settings.compactMap { $0[name]?.compact }
      // What one was made without, as an imported TempNet was, tells nothing of the others.
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

  /// The one whose settings hold where the configuration says `auto`, and what the report calls it: fitted ones come
  /// first.
  var leading: (settings: TempNetSettings, title: String)? {
    if let network = fitted.first { return (network.settings, "the fitted TempNet") }
    if let own { return (own.settings, "the model's TempNet") }
    return further.first.map { ($0.network.settings, "the TempNet \($0.name)") }
  }
}

/// The robust loss that policies are measured by, as far as it is known before the validation split was looked at.
struct LossSettings {
  /// The range of single and exact temperatures.
  let bounds: ClosedRange<Double>
  /// Nil where the mean entropy on the validation split decides.
  let rho: Double?
  /// Where rho comes from, for the report.
  let origin: String

  /// The bounds where neither the configuration nor a TempNet names any.
  private static let widestBounds = 0.25...4.0

  init(_ configuration: EvaluateConfiguration, _ networks: Networks, vocabulary: Int) throws {
    let automatic = networks.leading?.settings.bounds ?? Self.widestBounds
    let (low, high) = (configuration.tauMin ?? automatic.lowerBound, configuration.tauMax ?? automatic.upperBound)
    guard low < high else {
      throw Failure(
        .badConfiguration, "the least temperature, \(low), is not below the greatest, \(high)", at: "tau_min, tau_max")
    }
    bounds = low...high
    let stated = try RobustLoss.rho(given: configuration.rho, entropy: configuration.entropy, vocabulary: vocabulary)
    if let stated {
      rho = stated
      origin = configuration.entropy == nil ? "the configuration" : "the configured entropy"
    } else if let (settings, title) = networks.leading {
      rho = settings.rho
      origin = title
    } else {
      rho = nil
      origin = "the mean entropy at temperature 1 on the validation split"
    }
  }
}

/// What an evaluation measures, in the order of its report.
func policies(
  _ configuration: EvaluateConfiguration, _ networks: Networks, _ validation: Validation, _ loss: LossSettings,
  vocabulary: Int
) throws -> [NamedPolicy] {
  let exact = TemperaturePolicy.exact(entropy: log(Double(vocabulary)) - validation.rho, bounds: loss.bounds)
  func short(_ temperature: Double) -> String { fixed(temperature, digits: 4) }
  var list = [
    NamedPolicy(name: "one", title: "temperature 1", kind: .fixed, policy: .fixed(1)),
    NamedPolicy(
      name: "best", title: "the best single temperature by cross-entropy (\(short(validation.best)))",
      kind: .bestCrossEntropy, policy: .fixed(validation.best)),
    NamedPolicy(
      name: "best-robust", title: "the best single temperature by robust loss (\(short(validation.bestRobust)))",
      kind: .bestRobustLoss, policy: .fixed(validation.bestRobust)),
  ]
  if let own = networks.own {
    list.append(NamedPolicy(name: "model", title: "the model's own TempNet", kind: .tempnet, policy: .tempnet(own)))
  }
  for (index, network) in networks.fitted.enumerated() {
    let number = index == 0 ? "" : "\(index + 1)"
    list.append(
      NamedPolicy(
        name: EvaluateConfiguration.tempnetName + (number.isEmpty ? "" : "-\(number)"),
        title: networks.fittedTitles[index], kind: .tempnet, policy: .tempnet(network)))
  }
  list.append(NamedPolicy(name: "exact", title: "the exact optimum", kind: .exact, policy: exact))
  for (name, policy) in configuration.policies {
    switch policy {
    case .fixed(let temperature):
      list.append(
        NamedPolicy(name: name, title: "temperature \(temperature)", kind: .fixed, policy: .fixed(temperature)))
    case .exact: list.append(NamedPolicy(name: name, title: "the exact optimum", kind: .exact, policy: exact))
    case .model:
      guard let own = networks.own else {
        throw Failure(.badConfiguration, "policy \(name): the model has no TempNet of its own")
      }
      list.append(NamedPolicy(name: name, title: "the model's own TempNet", kind: .tempnet, policy: .tempnet(own)))
    case .artifact:
      let network = networks.further.first { $0.name == name }!.network
      list.append(NamedPolicy(name: name, title: "the TempNet \(name)", kind: .tempnet, policy: .tempnet(network)))
    }
  }
  return list
}
