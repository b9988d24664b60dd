import Artifacts
import Configuration
import Diagnostics
import ModelDescriptions
import TemperatureSettings
import TrainingOptions

/// The settings of `tempnet-pretrain`.
public struct PretrainConfiguration: StageConfiguration {
  /// The four rows of the paper's ablation (arXiv 2404.04575, table 6).
  public enum Objective: String, CaseIterable, Sendable {
    /// Cross-entropy at a fixed temperature.
    case crossEntropy = "cross_entropy"
    /// The robust loss with each token's exact temperature; no TempNet.
    case robustExact = "robust_exact"
    /// Cross-entropy at the temperature that TempNet predicts.
    case tempnetCrossEntropy = "tempnet_cross_entropy"
    /// The robust loss with the temperature that TempNet predicts.
    case robust

    /// Whether a TempNet is trained.
    public var trainsTempNet: Bool { self == .robust || self == .tempnetCrossEntropy }
    /// Whether the loss has a robustness budget `rho`.
    public var isRobust: Bool { self == .robust || self == .robustExact }
  }

  public var objective: Objective
  /// The temperature of `cross_entropy`.
  public var temperature: Double
  public var budget: StatedBudget
  public var tauMin: Double
  public var tauMax: Double

  public var model: ModelShape
  /// The number of last blocks to train of a model that is trained further, with the norm after them; nil for all
  /// parameters.
  public var trainedBlocks: Int?
  public var tempnet: TempNetTraining
  public var optimiser: OptimiserOptions

  /// Tokens per window.
  public var context: Int
  /// Windows per step.
  public var batch: Int
  /// Windows that the model reads at once; nil for 1,024 tokens on a processor and a whole step on a GPU.
  public var microBatch: Int?
  public var lanes: Int
  /// Tokens whose logits are held in memory at once.
  public var lossChunk: Int
  public var steps: Int
  public var seed: Int
  public var validationInterval: ValidationInterval
  public var logInterval: Int
  public var selection: ResultChoice
  public var compute: ComputeOptions
  public var run: RunOptions

  public init(reading reader: inout ConfigurationReader) throws {
    objective = try reader.choice("objective", default: .robust, help: "the loss, and whether a TempNet is trained")
    temperature = try reader.number(
      "temperature", default: 1, in: .positive, help: "the temperature of objective cross_entropy")
    budget = try reader.budget(default: Self.defaultEntropy)
    tauMin = try reader.number("tau_min", default: 0.5, in: .positive, help: "lower bound of temperatures")
    tauMax = try reader.number("tau_max", default: 5, in: .positive, help: "upper bound of temperatures")
    context = try reader.integer("context", default: 256, in: 2...1 << 20, help: "tokens per window")
    batch = try reader.integer("batch", default: 16, in: 1...1 << 20, help: "windows per step")
    microBatch = try reader.optionalInteger(
      "micro_batch", in: 1...1 << 20,
      help: "windows that the model reads at once; none: 1,024 tokens on a processor, a step on a GPU")
    lanes = try reader.lanes()
    lossChunk = try reader.integer(
      "loss_chunk", default: 512, in: 1...1 << 30, help: "tokens whose logits are in memory at once")
    steps = try reader.integer("steps", default: 600, in: 1...1 << 40, help: "optimiser steps")
    model = try reader.section("model") { try ModelShape(&$0) }
    trainedBlocks = try reader.optionalInteger(
      "train_last_blocks", in: 1...1 << 20,
      help: "train only this number of last blocks of a given model, and the norm after them; none trains all")
    tempnet = try reader.section("tempnet") { try TempNetTraining(&$0) }
    optimiser = try reader.section("optimiser") { try OptimiserOptions(&$0) }
    seed = try reader.integer("seed", default: 1, in: 0...Int.max, help: "of all random numbers")
    validationInterval = try reader.validationInterval(default: .steps(100))
    logInterval = try reader.integer("log_interval", default: 10, in: 1...1 << 40, help: "steps per line of metrics")
    selection = try reader.resultChoice()
    compute = try reader.computeOptions()
    run = try reader.runOptions()
    if tauMax <= tauMin {
      throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min, which is \(tauMin)")
    }
    let most = microBatch.map { (batch + $0 - 1) / $0 } ?? batch
    if lanes > most {
      throw reader.failure(
        "lanes", with: ["batch", "micro_batch"], "is \(lanes), but a step has only \(most) micro-batches for them")
    }
    if steps.multipliedReportingOverflow(by: batch * context).overflow {
      throw reader.failure(
        "steps", with: ["batch", "context"], "times batch times context is more than can be counted")
    }
  }

  /// The published setting for GPT-2 is rho = 8 with 50304 logits: ln 50304 - 8.
  static let defaultEntropy = 2.8
}

/// The shape of a new model; `ModelConfiguration` explains the terms.
public struct ModelShape: Equatable, Sendable {
  public typealias Norm = ModelConfiguration.Norm
  public typealias Positions = ModelConfiguration.Positions
  public typealias Activation = ModelConfiguration.Activation
  public typealias Biases = ModelConfiguration.Biases
  public typealias Attention = ModelConfiguration.Attention

  public var layers: Int
  public var width: Int
  public var heads: Int
  public var keyValueHeads: Int?
  public var headWidth: Int?
  public var feedForward: Int?
  public var norm: Norm
  public var normEpsilon: Double
  public var positions: Positions
  public var rotaryBase: Double
  public var rotaryFraction: Double
  public var activation: Activation
  public var biases: Biases
  public var tiedHead: Bool
  public var parallelResidual: Bool
  public var attention: Attention
  public var dropout: Double

  /// The default shape.
  public static var standard: ModelShape {
    get throws {
      var reader = try ConfigurationReader(YAMLNode(.mapping([]), at: Place("defaults")))
      return try ModelShape(&reader)
    }
  }

  init(_ reader: inout ConfigurationReader) throws {
    let sizes = 1...1 << 20
    layers = try reader.integer("layers", default: 4, in: 1...1 << 14, help: "transformer blocks")
    width = try reader.integer("width", default: 256, in: sizes, help: "of the residual stream")
    heads = try reader.integer("heads", default: 4, in: sizes, help: "attention heads")
    keyValueHeads = try reader.optionalInteger(
      "key_value_heads", in: sizes, help: "heads of keys and values, where several query heads share one")
    headWidth = try reader.optionalInteger("head_width", in: sizes, help: "instead of width / heads")
    feedForward = try reader.optionalInteger("feed_forward", in: sizes, help: "hidden width, instead of 4 · width")
    norm = try reader.choice("norm", default: .layer, help: "layer norm or RMS norm")
    normEpsilon = try reader.number("norm_epsilon", default: 1e-5, in: .positive, help: "added to variances")
    positions = try reader.choice("positions", default: .rotary, help: "how a token's position enters")
    rotaryBase = try reader.number("rotary_base", default: 10_000, in: .positive, help: "of rotary angles")
    rotaryFraction = try reader.number(
      "rotary_fraction", default: 1, in: .positive(upTo: 1), help: "the part of a head that is rotated")
    activation = try reader.choice("activation", default: .gelu, help: "of the feed-forward part")
    biases = try reader.choice("biases", default: .all, help: "which linear layers have biases")
    tiedHead = try reader.boolean("tied_head", default: false, help: "whether the head is the token embedding")
    parallelResidual = try reader.boolean(
      "parallel_residual", default: false, help: "whether attention and feed-forward run side by side")
    attention = try reader.choice(
      "attention", default: .document, help: "how far back a token looks: to its window's or its document's beginning")
    dropout = try reader.number("dropout", default: 0, in: 0...0.99, help: "in embedding and branches")
    try reader.finish()
    try check(reader)
  }

  /// Refuses the values that `ModelConfiguration` refuses, before anything runs. For a model that is trained further
  /// this shape is the default, which passes.
  private func check(_ reader: ConfigurationReader) throws {
    if headWidth == nil && width % heads != 0 {
      throw reader.failure("heads", with: ["width"], "is \(heads), which does not divide the width of \(width)")
    }
    if let keyValueHeads, heads % keyValueHeads != 0 {
      throw reader.failure(
        "key_value_heads", with: ["heads"], "is \(keyValueHeads), which does not divide the \(heads) heads")
    }
    if normEpsilon >= 1 { throw reader.failure("norm_epsilon", "is \(normEpsilon), but must be below 1") }
    if positions == .rotary { try checkRotation(reader) }
  }

  private func checkRotation(_ reader: ConfigurationReader) throws {
    if rotaryBase <= 1 {
      throw reader.failure("rotary_base", with: ["positions"], "is \(rotaryBase), but must be above 1")
    }
    let headWidth = headWidth ?? width / heads
    let rotated = Int(Double(headWidth) * rotaryFraction)
    guard rotated >= 2, rotated % 2 == 0 else {
      throw reader.failure(
        "rotary_fraction", with: (self.headWidth == nil ? ["heads", "width"] : ["head_width"]) + ["positions"],
        "rotates \(rotated) of the \(headWidth) elements of each head, but rotation takes them in pairs")
    }
  }
}

/// The TempNet that is trained with the model.
public struct TempNetTraining: Sendable {

  public var hidden: Int
  public var input: TempNetSettings.Input
  /// Of its input, while it is trained.
  public var coordinates: TempNetCoordinates
  public var dropout: Double
  public var learningRate: Double
  public var learningRateFloor: Double
  public var schedule: Schedule.Shape
  public var weightDecay: Double

  init(_ reader: inout ConfigurationReader) throws {
    hidden = try reader.integer("hidden", default: 256, in: 2...1 << 20, help: "width of its hidden layers")
    input = try reader.choice("input", default: .logits, help: TempNetSettings.Input.help)
    coordinates = try reader.choice(
      "coordinates", default: .standardised,
      help: "of its input in training: centred and in units of its spread, or as published")
    dropout = try reader.number("dropout", default: 0.5, in: 0...0.99, help: "of its hidden layer in training")
    learningRate = try reader.number("learning_rate", default: 3e-4, in: .nonNegative, help: "its highest rate")
    learningRateFloor = try reader.number(
      "learning_rate_floor", default: 3e-5, in: .nonNegative, help: "the last rate of a cosine schedule")
    schedule = try reader.choice("schedule", default: .cosine, help: "constant as published, or cosine")
    weightDecay = try reader.number("weight_decay", default: 0.1, in: .nonNegative, help: "of its matrices")
  }
}

/// Trains a language model on tokens, and a TempNet with it.
public enum Pretrain: StageDescription {
  public static let name = "pretrain"
  public static let summary = "Trains a language model, with a TempNet or without, on tokens."
  public static let version = 8
  public static let output = ArtifactKind.model
  public static let inputs = [
    StageInput("tokens", .tokens), StageInput("model", .model, isRequired: false, takesPublishedModels: true),
  ]
  public typealias Configuration = PretrainConfiguration

  public static func problem(_ configuration: PretrainConfiguration, withInputs given: Set<String>) -> String? {
    guard given.contains("model") else {
      return configuration.trainedBlocks == nil
        ? nil : "train_last_blocks is for a model that is trained further, and no model is given"
    }
    return configuration.model == (try? ModelShape.standard)
      ? nil : "the model that is trained further has a shape of its own; leave out the keys of the section model"
  }

  public static func check(_ configuration: PretrainConfiguration, vocabulary: Int) throws {
    _ = try configuration.budget.budget(alternatives: vocabulary)
  }
}
