import Artifacts
import Configuration
import TemperatureSettings
import TrainingOptions

/// The settings of `tempnet-fit`, which fits a TempNet to the features of a frozen model or dual encoder.
public struct FitConfiguration: StageConfiguration {
  public enum Objective: String, CaseIterable, Sendable {
    /// The robust loss, which needs no labels.
    case robust
    /// The cross-entropy at the predicted temperature.
    case crossEntropy = "cross_entropy"
    /// AutoDeco's loss, the cross-entropy weighted by the label's probability at temperature 1.
    case autoDeco = "autodeco"
    /// AutoDeco's other published form, weighted by the label's tempered probability.
    case autoDecoByTempered = "autodeco_tempered"
    /// The selective smoothing of adaptive temperature scaling: hits have the cross-entropy, misses that against the uniform
    /// distribution.
    case selectiveSmoothing = "selective_smoothing"
  }
  public enum Budget: Equatable, Sendable {
    case stated(StatedBudget)
    /// The model's mean entropy at temperature 1, which keeps the mean temperature near 1.
    case meanEntropy
  }

  public var objective: Objective
  public var budget: Budget
  /// The form of a network for images or texts; nil for tokens.
  public var form: EmbeddingTempNetSettings.Form?
  public var input: TempNetSettings.Input
  public var method: FitMethod
  public var hidden: Int
  public var dropout: Double
  public var tauMin: Double
  public var tauMax: Double
  public var epochs: Double
  /// Rows per optimiser step.
  public var batch: Int
  public var lanes: Int
  public var optimiser: OptimiserOptions
  public var validationInterval: ValidationInterval
  public var selection: ResultChoice
  public var seed: Int
  public var run: RunOptions
  public var compute: ComputeOptions

  public init(reading reader: inout ConfigurationReader) throws {
    try reader.accept(OptimiserOptions.formerSpellings + [.validations, .keepBest])
    objective = try reader.choice(
      "objective", default: .robust,
      help:
        "what to minimise: the robust loss, the cross-entropy, AutoDeco's loss in one of its two published forms, or adaptive temperature scaling's selective smoothing"
    )
    budget = try reader.budgetOrMeanEntropy().map(Budget.stated) ?? .meanEntropy
    form = try reader.value(
      "form", as: .optional(.choice()), default: .some(nil),
      help: "of a network for images or texts, which reads embeddings: \(EmbeddingTempNetSettings.Form.help)")
    let usual = form == nil ? Defaults.tokens : .anchors
    input = try reader.choice("input", default: .centred, help: TempNetSettings.Input.help)
    method = try reader.choice("method", default: .profile, help: "tabulated profiles, or full logits as published")
    hidden = try reader.integer("hidden", default: 256, in: 1...1 << 16, help: "width of the network")
    dropout = try reader.number(
      "dropout", default: usual.dropout, in: 0...0.99, help: "share of hidden units left out in training")
    tauMin = try reader.number("tau_min", default: 0.1, in: .positive, help: "lowest temperature")
    tauMax = try reader.number("tau_max", default: 3, in: .positive, help: "highest temperature")
    epochs = try reader.number(
      "epochs", default: usual.epochs, in: 1e-6...1e6,
      help: "passes over the training features; with a form \(Int(Defaults.anchors.epochs))")
    batch = try reader.integer(
      "batch", default: usual.batch, in: 1...1 << 24,
      help: "rows per optimiser step; with a form \(Defaults.anchors.batch)")
    lanes = try reader.lanes()
    optimiser = try reader.section("optimiser") { try Self.optimiser(&$0, usual.learningRate) }
    validationInterval = try reader.validationInterval(default: .partOfRun(10))
    selection = try reader.resultChoice()
    seed = try reader.integer("seed", default: 1, in: 0...Int.max, help: "seed of weights, order and dropout")
    run = try reader.runOptions(checkpointInterval: 200)
    compute = try reader.computeOptions()
    if lanes > batch { throw reader.failure("lanes", with: ["batch"], "must not exceed batch, which is \(batch)") }
    if tauMin >= tauMax { throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min") }
    try keepOwnKeys(&reader)
  }

  /// Defaults. A fit to embeddings has a thousand times fewer rows than a fit to tokens.
  private struct Defaults {
    let dropout, epochs: Double
    let batch: Int
    let learningRate: Double

    static let tokens = Defaults(dropout: 0, epochs: 5, batch: 2048, learningRate: 1e-2)
    static let anchors = Defaults(dropout: 0.5, epochs: 100, batch: 512, learningRate: 3e-3)
  }

  /// Leaves settings that do not apply to the kind of network out of the identity, and refuses them where they are
  /// given.
  private func keepOwnKeys(_ reader: inout ConfigurationReader) throws {
    guard form != nil else { return reader.leaveOut("form") }
    for key in ["input", "method"] {
      if reader.isGiven(key) {
        throw reader.failure(
          key, with: ["form"], "is for tokens: a network with a form reads embeddings, by their profiles")
      }
      reader.leaveOut(key)
    }
    if ![.robust, .crossEntropy].contains(objective) {
      throw reader.failure("objective", with: ["form"], "is for tokens; with a form it is robust or cross_entropy")
    }
  }

  /// Settings that earlier versions lacked stay out of the identity where they have the values of those versions.
  private static func optimiser(
    _ reader: inout ConfigurationReader, _ learningRate: Double
  ) throws -> OptimiserOptions {
    let usual = OptimiserOptions(
      learningRate: learningRate, learningRateFloor: 0, weightDecay: 0, beta2: 0.999, gradientClip: nil)
    let options = try OptimiserOptions(&reader, defaults: usual)
    if options.beta1 == usual.beta1 { reader.leaveOut("beta1") }
    if options.beta2 == usual.beta2 { reader.leaveOut("beta2") }
    if options.epsilon == usual.epsilon { reader.leaveOut("epsilon") }
    return options
  }
}

/// A TempNet fitted to a frozen model's features.
public enum Fit: StageDescription {
  public static let name = "fit"
  public static let summary = "Fits a temperature network to the features of a frozen model."
  public static let version = 4
  public static let output = ArtifactKind.tempnet
  public static let inputs = [StageInput("features", .features)]
  public typealias Configuration = FitConfiguration

  public static func check(_ configuration: FitConfiguration, vocabulary: Int) throws {
    guard case .stated(let stated) = configuration.budget else { return }
    _ = try stated.budget(alternatives: vocabulary)
  }
}
