import Artifacts
import Configuration
import TrainingOptions

/// The settings of `tempnet-features`.
public struct FeaturesConfiguration: StageConfiguration {
  /// Tokens that the model reads at once; nil for its whole context.
  public var window: Int?
  /// The distance between the starts of windows; nil for `window`. Tokens that a window shares with the one before it are
  /// only context.
  public var stride: Int?
  public var trainTokens: Int
  public var validationTokens: Int
  /// Windows per batch.
  public var batch: Int
  /// The temperatures at which each token's profile is tabulated.
  public var tauMin: Double
  public var tauMax: Double
  public var nodesPerOctave: Int
  /// Batches from one checkpoint to the next.
  public var checkpointInterval: Int
  public var compute: ComputeOptions

  public init(reading reader: inout ConfigurationReader) throws {
    let tokens = 1...1 << 40
    window = try reader.integerOrAuto(
      "window", in: 1...1 << 24, help: "tokens read at once; auto is the model's context")
    stride = try reader.integerOrAuto(
      "stride", in: 1...1 << 24,
      help: "distance between the starts of windows; what overlaps is only context; auto is window")
    trainTokens = try reader.integer(
      "train_tokens", default: 262_144, in: tokens,
      help: "tokens taken from the training split, in whole windows, evenly spread")
    validationTokens = try reader.integer(
      "validation_tokens", default: 65_536, in: tokens, help: "tokens taken from the validation split, likewise")
    batch = try reader.integer("batch", default: 8, in: 1...1 << 16, help: "windows per batch")
    tauMin = try reader.number("tau_min", default: 0.1, in: .positive, help: "lowest temperature of the profiles")
    tauMax = try reader.number("tau_max", default: 5, in: .positive, help: "highest temperature of the profiles")
    nodesPerOctave = try reader.integer(
      "nodes_per_octave", default: 4, in: 1...64, help: "temperatures of the profiles per factor of two")
    checkpointInterval = try reader.integer(
      "checkpoint_interval", default: 8, in: 1...1 << 20, identity: false, help: "batches between checkpoints")
    compute = try reader.computeOptions()
    if tauMin >= tauMax { throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min") }
    if let window, let stride, stride > window {
      throw reader.failure(
        "stride", with: ["window"], "must not exceed window: tokens between windows would be left out")
    }
  }
}

/// Hidden states and temperature profiles of a frozen model on tokens.
public enum Features: StageDescription {
  public static let name = "features"
  public static let summary = "Runs a frozen model over tokens once and keeps what fitting a temperature network needs."
  public static let version = 6
  public static let output = ArtifactKind.features
  public static let inputs = [StageInput("model", .model, takesPublishedModels: true), StageInput("tokens", .tokens)]
  public typealias Configuration = FeaturesConfiguration
}
