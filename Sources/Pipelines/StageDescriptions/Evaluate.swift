import Artifacts
import Configuration
import Diagnostics
import Files
import Reports
import Tasks
import TemperatureSettings
import TrainingOptions

/// The settings of `tempnet-evaluate`.
public struct EvaluateConfiguration: StageConfiguration {
  /// The policies in addition to those of every evaluation, in the order of the configuration; those without a file
  /// come first.
  public var policies: [(name: String, policy: PolicySpecification)]
  /// How many settings of a tuned family of rules are tried.
  public var tuning: Int
  /// Nil for the first TempNet's.
  public var budget: StatedBudget?
  public var tauMin: Double?
  public var tauMax: Double?
  public var text: ScoredText
  public var bootstrap: BootstrapConfiguration
  public var margins: MarginConfiguration
  /// How much of the test text the report shows.
  public var passageTokens: Int
  public var tasks: ScoredTasks
  public var compute: ComputeOptions
  /// How often the work is saved.
  public var checkpointSeconds: Int

  public init(reading reader: inout ConfigurationReader) throws {
    let given: [Named<String>] = try reader.value(
      "policies", as: .named(.policy), default: [],
      help: "further policies by name: \(PolicySpecification.evaluatedWords)")
    tuning = try reader.integer(
      "tuning", default: 16, in: 1...1000,
      help: "settings of each tuned family of rules that are tried on validation tokens")
    let files: [Named<String>] = try reader.value(
      "tempnets", as: .named(.path), default: [], identity: false,
      help: "further TempNets by name: artifacts of kind tempnet, or models with a TempNet of their own")
    budget = try reader.budgetOrAuto(
      help: "divergence budget of the robust loss in nats; auto takes the first TempNet's")
    tauMin = try reader.numberOrAuto(
      "tau_min", in: 1e-4...1e4, help: "lowest single or exact temperature; auto takes the first TempNet's")
    tauMax = try reader.numberOrAuto("tau_max", in: 1e-4...1e4, help: "greatest temperature, likewise")
    text = try ScoredText(&reader)
    bootstrap = try reader.section("bootstrap") { try BootstrapConfiguration(reading: &$0) }
    margins = try MarginConfiguration(&reader)
    passageTokens = try reader.integer(
      "passage_tokens", default: 240, in: 0...5000,
      help: "tokens of the test text that the report shows with their temperatures; 0 shows no text")
    tasks = try ScoredTasks(&reader)
    compute = try reader.computeOptions()
    checkpointSeconds = try reader.integer(
      "checkpoint_seconds", default: 30, in: 0...86_400, identity: false, help: "how often the work is saved")
    policies =
      try given.map { ($0.name, try PolicySpecification($0, reader)) } + files.map { ($0.name, .artifact($0.value)) }
    // The number matters only where something is tuned.
    if !policies.contains(where: { $0.policy.isTuned }) { reader.leaveOut("tuning") }
    try checkNames(reader)
    if let tauMin, let tauMax, tauMin >= tauMax {
      throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min")
    }
  }

  private func checkNames(_ reader: ConfigurationReader) throws {
    for (index, (name, policy)) in policies.enumerated() {
      var key = "policies"
      if case .artifact = policy { key = "tempnets" }
      guard name.isPlainName else {
        throw reader.failure(key, under: name, "has the name '\(name)'; \(String.plainNameRule)")
      }
      if PolicyName.isReserved(name) {
        throw reader.failure(
          key, under: name, "has the name '\(name)', which is kept for a policy that is always measured")
      }
      if policies[..<index].contains(where: { $0.name == name }) {
        throw reader.failure(
          key, under: name, with: ["policies"], "has the name '\(name)', which another policy has")
      }
    }
  }
}

/// The settings of the bootstrap that gives intervals.
public struct BootstrapConfiguration: StageConfiguration {
  public var resamples: Int
  /// Tokens per block.
  public var block: Int?
  public var confidence: Double
  public var seed: Int

  public init(reading reader: inout ConfigurationReader) throws {
    resamples = try reader.integer("resamples", default: 10_000, in: 100...1_000_000, help: "how many resamples")
    block = try reader.integerOrAuto(
      "block", in: 1...1 << 30,
      help:
        "contiguous tokens that are drawn together; auto draws documents, or where they are few, blocks after the context"
    )
    confidence = try reader.number("confidence", default: 0.95, in: 0.5...0.999, help: "share inside an interval")
    seed = try reader.integer("seed", default: 0, in: 0...Int.max, help: "of the draws")
  }
}

/// The largest differences that count as none.
public struct MarginConfiguration: Equatable, Sendable {
  /// Of losses, in nats per token.
  public var loss: Double
  /// Of accuracies, a share of 1.
  public var accuracy: Double
  /// Of expected calibration errors and Brier scores.
  public var calibration: Double

  init(_ reader: inout ConfigurationReader) throws {
    func margin(_ name: String, _ usual: Double, _ help: String) throws -> Double {
      let key = "\(name)_margin"
      let value = try reader.number(key, default: usual, in: 1e-9...10, help: help)
      // Results from before there was the setting keep their keys.
      if value == usual { reader.leaveOut(key) }
      return value
    }
    loss = try margin("loss", 0.005, "largest difference in a loss that counts as none, nats per token")
    accuracy = try margin("accuracy", 0.01, "largest difference in an accuracy that counts as none, a share of 1")
    calibration = try margin(
      "calibration", 0.01, "largest difference in a calibration error or Brier score that counts as none")
  }
}

extension ConfigurationType<String> {
  /// Kept as text, so that a result's key has the policy as it was written. Inside braces YAML ends an unquoted value
  /// at a comma.
  fileprivate static var policy: Self {
    Self(
      "a policy, in quotation marks if it has a comma", specimen: "1",
      decode: { $0.isNull ? nil : $0.scalar?.text }, encode: { .string($0) })
  }
}

extension PolicySpecification {
  /// Reads the key `policies`.
  fileprivate init(_ given: Named<String>, _ reader: ConfigurationReader) throws {
    if let reason = Self.reasonAgainst(given.value) {
      throw reader.failure("policies", under: given.name, "has a rule that cannot be evaluated: \(reason)")
    }
    guard let policy = PolicySpecification(given.value) else {
      throw reader.failure(
        "policies", under: given.name, "says '\(given.value)' for \(given.name); a policy is \(Self.evaluatedWords)")
    }
    // The text of `policies` enters the key, which has digests of files and no paths.
    if case .artifact(let path) = policy {
      throw reader.failure(
        "policies", under: given.name, "has the path '\(path)' for \(given.name); put it under tempnets")
    }
    self = policy
  }
}

/// Scores temperature policies on the test split.
public enum Evaluate: StageDescription {
  public static let name = "evaluate"
  public static let summary = "Scores temperature policies on the test split and reports what they change."
  public static let version = 12
  public static let output = ArtifactKind.evaluation
  public static let inputs = [
    StageInput("model", .model, isRequired: false, takesPublishedModels: true, readsTokenizer: true),
    StageInput("tokens", .tokens, isRequired: false),
    StageInput("tempnet", .tempnet, isRequired: false, isRepeated: true),
    StageInput("baseline", .model, isRequired: false, isRepeated: true, takesPublishedModels: true),
    StageInput("records", .records, isRequired: false, isRepeated: true),
  ]
  public typealias Configuration = EvaluateConfiguration

  public static func problem(_ configuration: EvaluateConfiguration, withInputs given: Set<String>) -> String? {
    guard given.contains("records") else {
      return given.isSuperset(of: ["model", "tokens"])
        ? nil : "the stage evaluate needs the inputs 'model' and 'tokens', or 'records'"
    }
    if let other = given.intersection(["model", "baseline"]).min() {
      return "the stage evaluate takes '\(other)' or 'records', not both: records answer for their model"
    }
    return configuration.tasks.paths.isEmpty
      ? nil : "tasks are scored by the stage score; leave them out with 'records'"
  }

  public static func check(_ configuration: EvaluateConfiguration, vocabulary: Int) throws {
    _ = try configuration.budget?.budget(alternatives: vocabulary)
  }

  public static func rawInputs(_ configuration: EvaluateConfiguration) throws -> [RawInput] {
    let networks: [RawInput] = try configuration.policies.compactMap { name, policy in
      guard case .artifact(let path) = policy else { return nil }
      return RawInput("tempnets/\(name)", path: try TempNetFile.find(in: path))
    }
    return try networks + configuration.tasks.rawInputs
  }
}
