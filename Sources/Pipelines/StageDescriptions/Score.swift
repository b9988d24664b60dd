import Artifacts
import Configuration
import TrainingOptions

/// The settings of `tempnet-score`.
public struct ScoreConfiguration: StageConfiguration {
  public var text: ScoredText
  /// The temperatures that the records answer.
  public var tauMin: Double
  public var tauMax: Double
  public var nodesPerOctave: Int
  /// Whether hidden states and the unembedding are kept, which TempNets need.
  public enum HiddenStates: String, CaseIterable, Sendable {
    /// If the model has a TempNet of its own.
    case auto
    case kept = "true"
    case dropped = "false"
  }
  public var hidden: HiddenStates
  public var tasks: ScoredTasks
  public var compute: ComputeOptions
  /// How often the work is saved.
  public var checkpointSeconds: Int

  /// The temperatures that records answer by default.
  public static let defaultBounds = 0.1...5.0
  public static let defaultNodesPerOctave = 16

  public init(reading reader: inout ConfigurationReader) throws {
    text = try ScoredText(&reader)
    tauMin = try reader.number(
      "tau_min", default: Self.defaultBounds.lowerBound, in: 1e-4...1, help: "least temperature that the records answer"
    )
    tauMax = try reader.number(
      "tau_max", default: Self.defaultBounds.upperBound, in: 1...1e4, help: "greatest temperature that they answer")
    nodesPerOctave = try reader.integer(
      "nodes_per_octave", default: Self.defaultNodesPerOctave, in: 1...64,
      help: "tabulated temperatures per factor of two; 16 keep means within 1e-6 of those from logits")
    hidden = try reader.choice(
      "hidden", default: .auto,
      help: "keep hidden states and the unembedding for TempNets; auto if the model has a TempNet of its own")
    tasks = try ScoredTasks(&reader)
    compute = try reader.computeOptions()
    checkpointSeconds = try reader.integer(
      "checkpoint_seconds", default: 30, in: 0...86_400, identity: false, help: "how often the work is saved")
    if tauMin >= tauMax { throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min") }
  }
}

/// Runs a frozen model once over held-out text and tasks, and keeps records that answer any temperature policy.
public enum Score: StageDescription {
  public static let name = "score"
  public static let summary =
    "Runs a frozen model once over held-out text and tasks, and keeps records that answer any temperature policy."
  public static let version = 1
  public static let output = ArtifactKind.records
  public static let inputs = [
    StageInput("model", .model, takesPublishedModels: true, readsTokenizer: true), StageInput("tokens", .tokens),
  ]
  public typealias Configuration = ScoreConfiguration

  public static func rawInputs(_ configuration: ScoreConfiguration) throws -> [RawInput] {
    try configuration.tasks.rawInputs
  }
}
