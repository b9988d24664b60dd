import Artifacts
import Configuration
import Diagnostics
import Files
import Tasks
import TemperatureSettings
import TrainingOptions

/// The settings of `tempnet-evaluate`.
public struct EvaluateConfiguration: StageConfiguration {
  /// Whether contexts begin with the beginning-of-text id; `auto` as the tokenizer's file says.
  public enum Beginning: String, CaseIterable, Sendable {
    case auto, always, never
  }

  /// The policies beside those of every evaluation, in the order of the configuration; those without a file come first.
  public var policies: [(name: String, policy: PolicySpecification)]
  /// Nil for that of the first TempNet.
  public var budget: StatedBudget?
  public var tauMin: Double?
  public var tauMax: Double?
  /// How many tokens the model reads at once.
  public var window: Int?
  /// How many tokens each window after the first predicts.
  public var stride: Int?
  /// At most so many tokens of the validation split serve to choose the best single temperatures.
  public var validationTokens: Int
  /// Tokens per forward pass.
  public var batchTokens: Int
  public var bootstrap: BootstrapConfiguration
  /// How much of the test text the report shows.
  public var passageTokens: Int
  /// Task files and request files; see ``TaskFile``.
  public var tasks: [String]
  /// At most so many items of each task.
  public var taskLimit: Int?
  public var taskBeginning: Beginning
  /// Whether tasks are scored so that nothing but the model decides each score, to the last bit.
  public var isReproducible: Bool
  public var compute: ComputeOptions
  /// How often the work is saved.
  public var checkpointSeconds: Int

  public init(reading reader: inout ConfigurationReader) throws {
    let given: [Named<String>] = try reader.value(
      "policies", as: .named(.policy), default: [], help: "further policies by name: \(PolicySpecification.words)")
    let files: [Named<String>] = try reader.value(
      "tempnets", as: .named(.path), default: [], identity: false,
      help: "further TempNets by name: artifacts of kind tempnet, or models with a TempNet of their own")
    budget = try reader.budgetOrAuto(
      help: "divergence budget of the robust loss in nats; auto takes the first TempNet's")
    tauMin = try reader.numberOrAuto(
      "tau_min", in: 1e-4...1e4, help: "least temperature of single and exact ones; auto takes the first TempNet's")
    tauMax = try reader.numberOrAuto("tau_max", in: 1e-4...1e4, help: "greatest temperature, likewise")
    window = try reader.integerOrAuto(
      "window", in: 1...1 << 24, help: "tokens of a text read at once, not of tasks; auto is the model's context")
    stride = try reader.integerOrAuto(
      "stride", in: 1...1 << 24, help: "tokens that each window predicts; auto is the window, less costs more")
    validationTokens = try reader.integer(
      "validation_tokens", default: 65_536, in: 1...Int.max,
      help: "at most so many validation tokens choose the best single temperatures")
    batchTokens = try reader.integer("batch_tokens", default: 2048, in: 1...1 << 24, help: "tokens per forward pass")
    bootstrap = try reader.section("bootstrap") { try BootstrapConfiguration(reading: &$0) }
    passageTokens = try reader.integer(
      "passage_tokens", default: 240, in: 0...5000,
      help: "tokens of the test text that the report shows with their temperatures; 0 shows no text")
    tasks = try reader.paths("tasks", default: [], help: "task files (.yaml) and request files (requests.jsonl.gz)")
    // Settings of tasks belong to the identity only where there are tasks.
    let hasTasks = !tasks.isEmpty
    taskLimit = try reader.optionalInteger(
      "task_limit", in: 1...Int.max, identity: hasTasks, help: "at most so many items of each task")
    taskBeginning = try reader.value(
      "task_beginning", as: .choice(), default: .auto, identity: hasTasks,
      help: "whether contexts begin with the beginning-of-text id; auto as the tokenizer's file says")
    isReproducible = try reader.boolean(
      "reproducible", default: false, identity: hasTasks,
      help: "score every request of a task by itself, to the same bits whatever else is scored; slower")
    compute = try reader.computeOptions()
    checkpointSeconds = try reader.integer(
      "checkpoint_seconds", default: 30, in: 0...86_400, identity: false, help: "how often the work is saved")
    policies =
      try given.map { ($0.name, try PolicySpecification($0, reader)) } + files.map { ($0.name, .artifact($0.value)) }
    try checkNames(reader)
    if let tauMin, let tauMax, tauMin >= tauMax {
      throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min")
    }
    if let window, let stride, stride > window {
      throw reader.failure("stride", with: ["window"], "must not exceed window")
    }
  }

  /// Names of policies that every evaluation has, or may have.
  public static let ownNames = ["one", "best", "best-robust", "model", "exact"]
  /// The name of an input TempNet; the second one is `tempnet-2`.
  public static let tempnetName = "tempnet"

  /// `tempnet-2` is the second input, `tempnet-old` may be anybody's.
  private static func isReserved(_ name: String) -> Bool {
    if ownNames.contains(name) || name == tempnetName { return true }
    let prefix = tempnetName + "-"
    return name.hasPrefix(prefix) && Int(name.dropFirst(prefix.count)) != nil
  }

  private func checkNames(_ reader: ConfigurationReader) throws {
    for (index, (name, policy)) in policies.enumerated() {
      var key = "policies"
      if case .artifact = policy { key = "tempnets" }
      guard name.isPlainName else {
        throw reader.failure(key, under: name, "has the name '\(name)'; \(String.plainNameRule)")
      }
      if Self.isReserved(name) {
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
      "block", in: 1...1 << 30, help: "contiguous tokens that are drawn together; auto follows the model's context")
    confidence = try reader.number("confidence", default: 0.95, in: 0.5...0.999, help: "share inside an interval")
    seed = try reader.integer("seed", default: 0, in: 0...Int.max, help: "of the draws")
  }
}

extension ConfigurationType<String> {
  /// Not decoded further, so that a result's key has what was written. Without quotation marks, YAML takes what follows
  /// a comma within braces for another key.
  fileprivate static var policy: Self {
    Self(
      "a policy, in quotation marks if it has a comma", specimen: "1",
      decode: { $0.isNull ? nil : $0.scalar?.text }, encode: { .string($0) })
  }
}

extension PolicySpecification {
  /// Reads what `policies` holds.
  fileprivate init(_ given: Named<String>, _ reader: ConfigurationReader) throws {
    guard let policy = PolicySpecification(given.value) else {
      throw reader.failure(
        "policies", under: given.name, "says '\(given.value)' for \(given.name); a policy is \(Self.words)")
    }
    // The text of `policies` enters the key; a path must not: the key has the digests of files.
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
  public static let version = 10
  public static let output = ArtifactKind.evaluation
  public static let inputs = [
    StageInput("model", .model, takesPublishedModels: true, readsTokenizer: true), StageInput("tokens", .tokens),
    StageInput("tempnet", .tempnet, isRequired: false, isRepeated: true),
  ]
  public typealias Configuration = EvaluateConfiguration

  public static func check(_ configuration: EvaluateConfiguration, vocabulary: Int) throws {
    _ = try configuration.budget?.budget(alternatives: vocabulary)
  }

  public static func rawInputs(_ configuration: EvaluateConfiguration) throws -> [RawInput] {
    let networks: [RawInput] = try configuration.policies.compactMap { name, policy in
      guard case .artifact(let path) = policy else { return nil }
      return RawInput("tempnets/\(name)", path: try TempNetFile.find(in: path))
    }
    return try networks + TaskFile.read(configuration.tasks).flatMap(\.rawInputs)
  }
}

extension TaskFile {
  /// The files whose digests identify the task, and with them its name.
  public var rawInputs: [RawInput] {
    [("task", statement), ("config", configuration), ("data", data)].compactMap { role, path in
      path.map { RawInput("tasks/\(name)/\(role)", path: $0) }
    }
  }
}
