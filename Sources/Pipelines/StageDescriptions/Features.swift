import Artifacts
import Configuration
import Pairs
import TemperatureSettings
import TrainingOptions

/// The settings of `tempnet-features`.
public struct FeaturesConfiguration: StageConfiguration {
  /// The side of the embeddings that rows are made for; nil for tokens.
  public var side: EmbeddingSide?
  public var captions: CaptionChoice
  /// The split of embeddings whose rows a fit learns from.
  public var anchors: Anchors
  public var candidates: Candidates
  /// The share of those rows that validates the fit; nil where the validation split does.
  public var heldOut: Double?
  /// Tokens that the model reads at once; nil for its whole context.
  public var window: Int?
  /// The distance between the starts of windows; nil for `window`. Tokens that the window before has too are only
  /// context.
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

  /// Rows that a fit learns from.
  public enum Anchors: String, CaseIterable, Sendable {
    case train
    /// Those that the encoders were not trained on, as in use.
    case validation
  }

  /// What the rows of embeddings are compared with.
  public enum Candidates: String, CaseIterable, Sendable {
    /// Each with those of its own split.
    case split
    /// All rows with those of training and validation together, so that they have equally many.
    case all
  }

  /// The share of validation rows that validates a fit to the others.
  private static let defaultShare = 0.25

  public init(reading reader: inout ConfigurationReader) throws {
    side = try reader.value(
      "side", as: .optional(.choice()), default: .some(nil), help: "of embeddings: the side whose rows are made")
    captions = try reader.choice(
      "captions", default: .all, help: "of embeddings: all captions, or titles, the first of each picture")
    anchors = try reader.choice(
      "anchors", default: .train,
      help: "of embeddings: the split that a fit learns from; validation: what the encoders were not trained on")
    candidates = try reader.choice(
      "candidates", default: .split,
      help: "of embeddings: what a row is compared with, those of its split, or all of training and validation")
    let share = try reader.numberOrAuto(
      "held_out", in: 0.01...0.9,
      help:
        "of embeddings: share of the anchors, in whole clusters, that validates the fit; auto: the validation split "
        + "does, or 0.25 of it where it has the anchors")
    heldOut = share ?? (anchors == .validation ? Self.defaultShare : nil)
    let tokens = 1...1 << 40
    window = try reader.integerOrAuto(
      "window", in: 1...1 << 24, help: "tokens read at once; auto is the model's context")
    stride = try reader.integerOrAuto(
      "stride", in: 1...1 << 24,
      help: "distance between the starts of windows; overlaps are only context; auto is window")
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
    try Self.keep(side == nil ? Self.tokenKeys : Self.pairKeys, &reader)
    if let window, let stride, stride > window {
      throw reader.failure(
        "stride", with: ["window"], "must not exceed window: tokens between windows would be left out")
    }
  }

  private static let pairKeys = ["side", "captions", "anchors", "candidates", "held_out"]
  private static let tokenKeys = ["window", "stride", "train_tokens", "validation_tokens", "batch"]

  /// Leaves settings that do not apply to the kind of rows out of the identity, and refuses them where they are given.
  private static func keep(_ kept: [String], _ reader: inout ConfigurationReader) throws {
    let isOfPairs = kept == pairKeys
    for key in isOfPairs ? tokenKeys : pairKeys {
      if reader.isGiven(key) && key != "side" {
        throw reader.failure(
          key, with: ["side"], isOfPairs ? "is for features of tokens, which have no side" : "is for features of a side"
        )
      }
      reader.leaveOut(key)
    }
  }
}

/// Inputs and temperature profiles of a frozen model's tokens, or of a dual encoder's pictures or captions.
public enum Features: StageDescription {
  public static let name = "features"
  public static let summary =
    "Runs a frozen model over tokens, or compares embeddings, once and keeps what fitting a temperature network needs."
  public static let version = 6
  public static let output = ArtifactKind.features
  public static let inputs = [
    StageInput("model", .model, isRequired: false, takesPublishedModels: true),
    StageInput("tokens", .tokens, isRequired: false), StageInput("embeddings", .embeddings, isRequired: false),
  ]
  public typealias Configuration = FeaturesConfiguration

  public static func problem(_ configuration: FeaturesConfiguration, withInputs given: Set<String>) -> String? {
    if configuration.side != nil {
      return given == ["embeddings"]
        ? nil : "the stage features with a side needs the input 'embeddings', and no other"
    }
    if given.contains("embeddings") {
      return given.count > 1
        ? "the stage features takes model and tokens, or embeddings, not all"
        : "features of embeddings need side: image or text"
    }
    return ["model", "tokens"].first { !given.contains($0) }.map { "the stage features needs the input '\($0)'" }
  }
}
