import Artifacts
import Configuration
import Diagnostics
import EncoderDescriptions
import Files
import Glibc
import Pairs
import TemperatureSettings
import TrainingOptions

/// The settings of `tempnet-contrast`.
public struct ContrastConfiguration: StageConfiguration {
  /// The rows of the paper's table (arXiv 2404.04575), and losses that separate the effects of their parts.
  public enum Loss: String, CaseIterable, Sendable {
    /// The cross-entropy of CLIP at a fixed temperature.
    case clip
    /// The same with a learned scale, as open_clip learns it.
    case clipLearned = "clip_learned"
    case cyclip
    case sogclr
    /// SogCLR without its moving average. It differs from CLIP in that the pair is not a candidate.
    case sogclrBatch = "sogclr_batch"
    /// A temperature of its own for every sample.
    case isogclr
    /// Temperatures by a TempNet, with the robust loss.
    case tempnet
    /// Temperatures by a TempNet, with the cross-entropy.
    case tempnetCrossEntropy = "tempnet_cross_entropy"
    /// One learned temperature with the robust loss.
    case fastclip

    public var trainsTempNet: Bool { self == .tempnet || self == .tempnetCrossEntropy }
    public var learnsScale: Bool { self == .clipLearned || self == .fastclip }
    /// Whether the pair is left out of the candidates.
    public var isRobust: Bool {
      switch self {
      case .clip, .clipLearned, .cyclip, .tempnetCrossEntropy: false
      case .sogclr, .sogclrBatch, .isogclr, .tempnet, .fastclip: true
      }
    }
    /// Whether temperatures follow from a robustness budget.
    public var hasBudget: Bool { self == .isogclr || self == .tempnet || self == .fastclip }
    /// Whether samples have temperatures of their own.
    public var isPersonal: Bool { self == .isogclr || trainsTempNet }
  }

  public var loss: Loss
  /// The fixed temperature, or the initial one of a loss that learns it.
  public var temperature: Double
  /// Of losses that have one.
  public var budget: RobustBudget?
  public var gamma: Double
  public var gammaShape: Gamma
  public var tauMin: Double
  public var tauMax: Double
  public var individual: IndividualTemperatures
  public var tempnet: EmbeddingTempNetTraining
  /// What learns.
  public var train: TrainedPart
  /// Whether `temperature` is given, and no default.
  public let statesTemperature: Bool
  /// What is trained on embeddings.
  public var heads: Heads
  /// What is trained on pairs.
  public var towers: OwnTowers
  /// Of pairs.
  public var augmentation: Augmentation

  /// Pairs per step.
  public var batch: Int
  /// Pairs that the encoders read at once; nil for all.
  public var microBatch: Int?
  /// Rows of similarities that are in memory at once; nil for all.
  public var tileRows: Int?
  public var epochs: Double
  public var captions: CaptionChoice
  /// Whether augmented copies of pictures are drawn, where there are any.
  public var usesCopies: Bool
  /// The captions that validation searches among.
  public var validationCaptions: CaptionChoice
  public var optimiser: OptimiserOptions
  public var seed: Int
  public var validationInterval: ValidationInterval
  public var logInterval: Int
  public var selection: ResultChoice
  public var compute: ComputeOptions
  public var run: RunOptions

  /// How γ changes over a run.
  public enum Gamma: String, CaseIterable, Sendable {
    case constant
    /// From 1 down to `gamma` in the first half of the epochs.
    case cosine
  }

  public init(reading reader: inout ConfigurationReader) throws {
    loss = try reader.choice("loss", default: .tempnet, help: "the contrastive loss")
    let temperature = try reader.numberOrAuto(
      "temperature", in: .positive(upTo: 100),
      help: "fixed, or the first one where it is learned; auto: 0.07 where one is learned for all, else 0.05")
    statesTemperature = reader.isGiven("temperature")
    let stated = try reader.statedBudget()
    let gamma = try reader.numberOrAuto(
      "gamma", in: .positive(upTo: 1),
      help: "share of the batch at hand in moving averages; auto: 0.8, of fastclip 0.2")
    let shape: Gamma? = try reader.value(
      "gamma_schedule", as: .orAuto(.choice()), default: .some(nil),
      help: "cosine: gamma falls from 1 in the first half of the epochs; auto: cosine for fastclip alone")
    tauMin = try reader.number("tau_min", default: 0.01, in: .positive, help: "lowest temperature of a sample")
    tauMax = try reader.number("tau_max", default: 0.2, in: .positive, help: "highest temperature of a sample")
    individual = try reader.section("individual") { try IndividualTemperatures(&$0) }
    tempnet = try reader.section("tempnet") { try EmbeddingTempNetTraining(&$0) }
    train = try reader.choice(
      "train", default: .all, help: "what learns: all, one side to a model's other one, or the projections alone")
    if train == .all { reader.leaveOut("train") }
    heads = try reader.section("heads") { try Heads(&$0) }
    towers = try reader.section("towers") { try OwnTowers(&$0) }
    augmentation = try reader.section("augment") { try Augmentation(&$0) }
    batch = try reader.integer("batch", default: 512, in: 2...1 << 24, help: "pairs per step")
    microBatch = try reader.optionalInteger(
      "micro_batch", in: 1...1 << 24, help: "pairs that go through the encoders at once; none: all of a step")
    tileRows = try reader.optionalInteger(
      "loss_tile", in: 1...1 << 24, help: "rows of similarities that are in memory at once; none: all of a step")
    epochs = try reader.number("epochs", default: 20, in: 1e-6...1e6, help: "passes over the training pictures")
    captions = try reader.choice("captions", default: .all, help: "captions of a picture that are drawn from")
    usesCopies = try reader.boolean(
      "copies", default: true, help: "whether augmented copies of pictures, where there are any, are drawn too")
    validationCaptions = try reader.choice(
      "validation_captions", default: .titles, help: "captions that validation searches among")
    optimiser = try reader.section("optimiser") {
      try OptimiserOptions(
        &$0,
        defaults: OptimiserOptions(
          learningRate: 1e-3, learningRateFloor: 0, warmup: 0.05, weightDecay: 0.1, beta2: 0.999, gradientClip: nil))
    }
    seed = try reader.integer("seed", default: 1, in: 0...Int.max, help: "of all random numbers")
    validationInterval = try reader.validationInterval(default: .partOfRun(5))
    logInterval = try reader.integer("log_interval", default: 10, in: 1...1 << 40, help: "steps per line of metrics")
    selection = try reader.resultChoice()
    compute = try reader.computeOptions()
    run = try reader.runOptions()

    self.temperature = temperature ?? (loss.learnsScale ? 0.07 : 0.05)
    self.gamma = loss == .sogclrBatch ? 1 : gamma ?? (loss == .fastclip ? 0.2 : 0.8)
    gammaShape = shape ?? (loss == .fastclip ? .cosine : .constant)
    budget = loss.hasBudget ? try Self.budget(stated, loss: loss, batch: batch, reader) : nil
    try check(reader)
    leaveOutUnused(&reader)
  }

  /// Settings that this loss does not use make no difference to the result. They are not refused, because one stage of a
  /// pipeline often has several losses.
  private func leaveOutUnused(_ reader: inout ConfigurationReader) {
    if !loss.trainsTempNet { reader.leaveOut("tempnet") }
    if loss != .isogclr { reader.leaveOut("individual") }
    if !loss.hasBudget { for key in ["rho", "entropy", "effective_negatives"] { reader.leaveOut(key) } }
    if !loss.isRobust || loss == .sogclrBatch { for key in ["gamma", "gamma_schedule"] { reader.leaveOut(key) } }
    if !loss.isPersonal { for key in ["tau_min", "tau_max"] { reader.leaveOut(key) } }
    if loss.trainsTempNet { reader.leaveOut("temperature") }
  }

  private func check(_ reader: ConfigurationReader) throws {
    if tauMin >= tauMax { throw reader.failure("tau_max", with: ["tau_min"], "must be above tau_min") }
    if loss == .isogclr && !(tauMin...tauMax).contains(temperature) {
      throw reader.failure(
        "temperature", with: ["tau_min", "tau_max"],
        "is \(temperature), but temperatures lie from tau_min, \(tauMin), to tau_max, \(tauMax)")
    }
    if loss.learnsScale && !(0.01...1).contains(temperature) {
      throw reader.failure("temperature", with: ["loss"], "is \(temperature); a learned one lies from 0.01 to 1")
    }
  }
}

// MARK: - The budget

extension ConfigurationReader {
  /// A budget over the negatives of a batch, by one of three keys; nil for the default.
  fileprivate mutating func statedBudget() throws -> StatedBudget? {
    let rho = try numberOrAuto(
      "rho", in: .nonNegative,
      help: "robustness in nats, below ln(batch - 1); auto: 3 less than that, of fastclip 6.5 but 2 less at most")
    let entropy = try optionalNumber(
      "entropy", in: .positive, help: "in place of rho: ln(batch - 1) - rho, the entropy in nats over the negatives")
    let effective = try optionalNumber(
      "effective_negatives", in: 1...Double(1 << 24), help: "in place of rho: the exponential of that entropy")
    let given = ["rho": rho, "entropy": entropy, "effective_negatives": effective].filter { $0.value != nil }.keys
      .sorted()
    if given.count > 1 {
      throw failure(given[1], with: [given[0]], "stands for the same as \(given[0]); give one of them")
    }
    if let effective, effective <= 1 {
      throw failure("effective_negatives", "must be above 1: with one alone there is nothing to tell apart")
    }
    return rho.map { .rho($0) } ?? entropy.map { .entropy($0) } ?? effective.map { .entropy(log($0)) }
  }
}

extension ContrastConfiguration {
  /// The smallest batch with a default budget.
  static let leastBatch = 64
  /// In nats. With less entropy a batch's estimate of temperatures is far off, and a warning says so.
  static let leastRoom = 2.0
  private static let defaultRoom = 3.0
  /// As published for FastCLIP on CC3M.
  private static let fastclipRho = 6.5

  private static func budget(
    _ stated: StatedBudget?, loss: Loss, batch: Int, _ reader: ConfigurationReader
  ) throws -> RobustBudget {
    let negatives = batch - 1
    if let stated {
      do {
        return try stated.budget(alternatives: negatives, of: "negatives of a batch of \(batch)")
      } catch let failure as Failure {
        throw reader.failure(
          ["rho", "entropy", "effective_negatives"].first(where: reader.isGiven) ?? "rho", with: ["batch"],
          "does not fit: \(failure.message)")
      }
    }
    guard batch >= leastBatch else {
      throw reader.failure(
        "rho", with: ["batch"],
        "has to be given for a batch of \(batch): below \(leastBatch) there is no room for a default")
    }
    let limit = log(Double(negatives))
    return try RobustBudget(
      alternatives: negatives, rho: loss == .fastclip ? min(fastclipRho, limit - leastRoom) : limit - defaultRoom)
  }

  /// The warning about a budget that leaves little room; nil for one that leaves enough.
  public var budgetWarning: String? {
    guard let budget, budget.targetEntropy < Self.leastRoom - 1e-9 else { return nil }
    return
      "rho \(fixed(budget.rho, digits: 2)) leaves an entropy of \(fixed(budget.targetEntropy, digits: 2)) nats over the "
      + "\(budget.alternatives) negatives of a batch: below \(fixed(Self.leastRoom, digits: 0)) nats temperatures from a "
      + "batch come out far below those from all samples; a lower rho, or a larger batch, is better"
  }

  /// The budget in its three spellings.
  public var budgetNote: String? {
    budget.map {
      "rho \(fixed($0.rho, digits: 4)): entropy \(fixed($0.targetEntropy, digits: 4)) nats, "
        + "\(fixed(exp($0.targetEntropy), digits: 1)) effective negatives of \($0.alternatives)"
    }
  }
}

// MARK: - Sections

/// How iSogCLR learns temperatures.
public struct IndividualTemperatures: Equatable, Sendable {
  /// η.
  public var rate: Double
  /// β.
  public var momentum: Double
  public var clip: Double

  init(_ reader: inout ConfigurationReader) throws {
    rate = try reader.number(
      "rate", default: 1e-3, in: .positive, help: "step of a sample's temperature (published: 0.03, for other bounds)")
    momentum = try reader.number(
      "momentum", default: 0.5, in: .positive(upTo: 1), help: "share of the new slope in a sample's momentum")
    clip = try reader.number("clip", default: 5, in: .positive, help: "largest slope that counts")
  }
}

/// The TempNets of both sides.
public struct EmbeddingTempNetTraining: Equatable, Sendable {
  public var form: EmbeddingTempNetSettings.Form
  public var units: Int
  public var coordinates: TempNetCoordinates
  public var dropout: Double
  public var learningRate: Double
  public var learningRateFloor: Double
  public var schedule: Schedule.Shape
  public var weightDecay: Double

  init(_ reader: inout ConfigurationReader) throws {
    form = try reader.choice("form", default: .prototypes, help: EmbeddingTempNetSettings.Form.help)
    units = try reader.integer(
      "units", default: 256, in: 2...1 << 16, help: "prototypes, or hidden units of two layers")
    coordinates = try reader.choice(
      "coordinates", default: .published,
      help: "of its input in training: unit rows as published, or centred and in units of their spread")
    dropout = try reader.number("dropout", default: 0, in: 0...0.99, help: "of its hidden layer (published: 0.5)")
    learningRate = try reader.number(
      "learning_rate", default: form == .layers ? 1e-3 : 1e-2, in: .nonNegative,
      help: "its highest rate (published: 3e-5); with two layers 0.001")
    learningRateFloor = try reader.number(
      "learning_rate_floor", default: 0, in: .nonNegative, help: "what a cosine schedule ends at")
    schedule = try reader.choice("schedule", default: .cosine, help: "constant, or cosine")
    weightDecay = try reader.number("weight_decay", default: 0, in: .nonNegative, help: "of its matrices")
  }
}

/// The heads on frozen towers.
public struct Heads: Equatable, Sendable {
  public var hidden: Int
  public var embed: Int
  public var dropout: Double

  init(_ reader: inout ConfigurationReader) throws {
    let sizes = 1...1 << 16
    hidden = try reader.integer("hidden", default: 512, in: sizes, help: "width of a head's inner layer")
    embed = try reader.integer("embed", default: 256, in: sizes, help: "width of the common space")
    dropout = try reader.number("dropout", default: 0.1, in: 0...0.99, help: "of the inner layer in training")
  }
}

/// Pairs, or embeddings of pairs, to encoders into one space.
public enum Contrast: StageDescription {
  public static let name = "contrast"
  public static let summary = "Trains encoders of pictures and texts with a contrastive loss, and their temperatures."
  public static let version = 1
  public static let output = ArtifactKind.dualEncoder
  public static let inputs = [
    StageInput("pairs", .pairs, isRequired: false), StageInput("embeddings", .embeddings, isRequired: false),
    StageInput("model", .dualEncoder, isRequired: false),
  ]
  public typealias Configuration = ContrastConfiguration

  public static func rawInputs(_ configuration: ContrastConfiguration) throws -> [RawInput] {
    guard let path = configuration.towers.text.tokenizer else { return [] }
    guard try Files.status(path) != nil else { throw Failure.missing("file", at: path) }
    return [RawInput("tokenizer", path: path)]
  }

  public static func problem(_ configuration: ContrastConfiguration, withInputs given: Set<String>) -> String? {
    guard given.subtracting(["model"]).count == 1 else {
      return "give pairs, to train encoders on pictures and captions, or embeddings, to train heads on frozen towers"
    }
    if given.contains("model") {
      if configuration.statesTemperature && configuration.loss.learnsScale {
        return "temperature is where learning begins, which with a model is the model's own scale: leave it out"
      }
      if configuration.towers.text.tokenizer != nil { return "towers.text.tokenizer is the model's own: leave it out" }
    } else if [.image, .text].contains(configuration.train) {
      return "train: \(configuration.train.rawValue) locks the other side as a model has it, and needs one (--model)"
    }
    if given.contains("embeddings") && configuration.train == .heads {
      return "train: heads is for encoders of their own; on embeddings there is nothing but heads"
    }
    if given == ["embeddings"], configuration.towers.text.tokenizer != nil {
      return "towers.text.tokenizer is for pairs: heads on embeddings read no captions"
    }
    return nil
  }

  public static func unusedSettings(withInputs given: Set<String>) -> [String] {
    (given.contains("pairs") ? ["heads", "copies"] : ["towers", "augment"])
      + (given.contains("model") ? ["heads", "towers"] : [])
  }

  /// Of heads: the embeddings; the heads with their gradients and moments; activations of the pairs that go through the
  /// encoders at once; nine matrices of the similarities that are in memory at once, as many as the losses' gradients take.
  public static func memory(
    _ configuration: ContrastConfiguration, inputs: [String: [PlannedInput]]
  ) -> MemoryEstimate? {
    guard let embeddings = inputs["embeddings"] else { return nil }
    let heads = configuration.heads
    // Towers' embeddings have about a thousand numbers.
    let parameters = 2 * heads.hidden * (1024 + heads.embed)
    let pairs = min(configuration.microBatch ?? configuration.batch, configuration.batch)
    let activations = pairs * 8 * (1024 + 3 * heads.hidden)
    let similarities =
      9 * 4 * min(configuration.tileRows ?? configuration.batch, configuration.batch) * configuration.batch
    return MemoryEstimate(MemoryEstimate.program + parameters * 16 + activations + similarities)
      .reading(embeddings, "embeddings")
  }
}
