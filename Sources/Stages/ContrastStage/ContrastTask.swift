import ContrastiveLosses
import Diagnostics
import Glibc
import ImageTextModels
import Pairs
import StageDescriptions
import TemperatureSettings
import Torch
import Training
import TrainingOptions

/// A dual encoder and its contrastive loss, as the training loop sees them.
///
/// A step of several chunks embeds all of them without a record of operations, finds the gradient by each row, then embeds
/// chunk by chunk again and sends its rows' gradients back. So encoders take the memory of one chunk, and the loss that of
/// one tile.
final class ContrastTask: TrainingTask {
  let encoder: DualEncoder
  let objective: ContrastObjective
  let groups: [ParameterGroup]
  let dealer: PairDealer
  let steps: Int
  private let configuration: ContrastConfiguration
  private let inputs: any EncoderInputs
  private let samples: [Int]
  private let validation: ContrastValidation
  private let computeType: DType
  /// The step that was made last, counted from 0.
  private var lastStep = 0

  init(
    encoder: DualEncoder, table: PairTable, inputs: any EncoderInputs, _ configuration: ContrastConfiguration,
    computeType: DType
  ) throws {
    self.encoder = encoder
    self.configuration = configuration
    self.inputs = inputs
    self.computeType = computeType
    dealer = try PairDealer(
      table, captions: configuration.captions, versions: inputs.versions, batch: configuration.batch,
      seed: configuration.seed)
    steps = max(1, Int((configuration.epochs * Double(dealer.count) / Double(configuration.batch)).rounded(.up)))
    samples = [table.pictures.count, table.captions.count]
    Seeds.seedGenerators(UInt64(configuration.seed), .initialisation, index: 1)
    objective = ContrastObjective(
      configuration, samples: samples, embed: encoder.embed, logitScale: encoder.logitScale)
    validation = try ContrastValidation(table, inputs, configuration, computeType: computeType)
    for parameter in encoder.encoderParameters(of: configuration.train) { parameter.tensor.requiringGradient() }
    groups = configuration.groups(encoder, objective, steps: steps)
    try setPrototypes(table)
  }

  let itemName = "pairs"
  var itemsPerStep: Int { configuration.batch }
  var buffers: [NamedTensor] { objective.buffers }
  var criterion: String { ContrastValidation.criterion }

  /// As published, each side's prototypes begin as embeddings of the other side.
  private func setPrototypes(_ table: PairTable) throws {
    guard let networks = objective.networks, configuration.tempnet.form == .prototypes else { return }
    let pictures = table.pictures(of: .train)
    let spread = (0..<configuration.tempnet.units).map { pictures[$0 * pictures.count / configuration.tempnet.units] }
    let titles = spread.map { table.pictures[$0].captions.lowerBound }
    try withoutGradients {
      networks[0].setPrototypes(try inputs.rows(ofTexts: titles, encoder, computeType: .float32, most: .max))
      networks[1].setPrototypes(try inputs.rows(ofImages: spread, encoder, computeType: .float32, most: .max))
    }
  }

  /// open_clip clamps the scale after a step; nothing reads it before the next one, or a validation.
  private func clampScale() {
    if configuration.loss.learnsScale { LearnedScale.clamp(encoder.logitScale) }
  }

  func addGradients(_ step: TrainingStep) throws -> StepSums {
    clampScale()
    lastStep = step.number
    let batch = try dealer.batch(step: step.number)
    let ids = [
      try SampleIds(batch.pictures, of: samples[0], side: .image),
      try SampleIds(batch.captions, of: samples[1], side: .text),
    ]
    let chunks = chunks(of: batch)
    let embedded =
      chunks.count == 1 ? embed(chunks[0], part: 0, step) : joined(withoutGradients { embedAll(chunks, step) })
    step.seedGenerators(part: chunks.count)
    let outcome = objective.addGradients(
      embedded, ids, step: step.number, epoch: step.number * configuration.batch / dealer.count)
    let gradients = [outcome.gradient.image.rows, outcome.gradient.text.rows]
    if chunks.count == 1 {
      for (rows, gradient) in zip(embedded, gradients) where rows.requiresGradient { rows.backward(gradient) }
    } else {
      var first = 0
      for (part, chunk) in chunks.enumerated() {
        let range = first..<first + chunk.count
        for (rows, gradient) in zip(embed(chunk, part: part, step), gradients) where rows.requiresGradient {
          rows.backward(gradient[range])
        }
        first = range.upperBound
      }
    }
    return measurements(outcome, dealtApart: batch.dealtApart)
  }

  func chunks(of batch: PairBatch) -> [ArraySlice<PairBatch.Pair>] {
    let size = configuration.microBatch ?? batch.pairs.count
    return stride(from: 0, to: batch.pairs.count, by: size).map {
      batch.pairs[$0..<min($0 + size, batch.pairs.count)]
    }
  }

  private func embedAll(_ chunks: [ArraySlice<PairBatch.Pair>], _ step: TrainingStep) -> [[Tensor]] {
    chunks.enumerated().map { embed($1, part: $0, step) }
  }

  private func joined(_ parts: [[Tensor]]) -> [Tensor] {
    [0, 1].map { side in .concatenate(parts.map { $0[side] }) }
  }

  /// Unit rows of both sides, images first. What dropout draws is a function of (seed, step, chunk); a locked side has none.
  func embed(_ chunk: ArraySlice<PairBatch.Pair>, part: Int, _ step: TrainingStep) -> [Tensor] {
    step.seedGenerators(part: part)
    return [
      encoder.images(
        inputs.images(chunk, step: step.number), training: !configuration.train.locksImages, computeType: computeType),
      encoder.texts(
        inputs.texts(at: chunk.map(\.caption)), training: !configuration.train.locksTexts, computeType: computeType),
    ]
  }

  func validate(_ checkpoint: () throws -> Void) throws -> Metrics {
    clampScale()
    return try validation.metrics(encoder, objective.networks, checkpoint)
  }

  func bestTemperature() throws -> Double { try validation.bestTemperature(encoder) }

  func warnings(_ means: Metrics) -> [TrainingWarning] {
    let bounds =
      configuration.loss.isPersonal
      ? BoundMargin.warning(
        lower: means[BoundMargin.lowerName], upper: means[BoundMargin.upperName], bounds: configuration.bounds
      ).map { TrainingWarning($0.kind, $0.message) } : nil
    return [bounds, chanceWarning(means)].compactMap { $0 }
  }

  /// After the first tenth of the steps a loss of ln B says that nothing has been learned.
  private func chanceWarning(_ means: Metrics) -> TrainingWarning? {
    guard lastStep >= steps / 10, let share = means[Self.shareOfChance], share > 0.99 else { return nil }
    return TrainingWarning(
      Self.shareOfChance,
      "after \(lastStep + 1) steps the loss is \(fixed(share, digits: 2)) times ln \(configuration.batch), that of chance: "
        + "try a lower learning rate, a lower first temperature or a larger batch, and see whether pictures and captions "
        + "belong together")
  }

  /// The metric of the cross-entropy in units of ln B.
  static let shareOfChance = "cross_entropy_over_ln_batch"
}

// MARK: - Measurements

extension ContrastTask {
  private func measurements(_ outcome: ContrastObjective.Outcome, dealtApart: Int) -> StepSums {
    let count = Double(configuration.batch)
    let gradient = outcome.gradient
    func mean(_ values: Tensor) -> Tensor { values.to(.float64).mean() }
    var entries: [(name: String, mean: Tensor)] = [
      ("loss", gradient.loss),
      (
        Self.shareOfChance,
        (mean(gradient.image.crossEntropy) + mean(gradient.text.crossEntropy)) / (2 * log(count))
      ),
    ]
    for (side, tau) in zip(EmbeddingSide.allCases, outcome.temperatures) {
      let average = mean(tau)
      entries.append(("temperature_\(side.rawValue)", average))
      if configuration.loss.isPersonal {
        entries.append(
          ("temperature_spread_\(side.rawValue)", (tau.to(.float64) - average).square().mean().sqrt()))
      }
    }
    if configuration.loss.isPersonal {
      let margin = BoundMargin.width(of: configuration.bounds)
      let tau = Tensor.concatenate(outcome.temperatures)
      entries.append((BoundMargin.lowerName, mean(tau.less(configuration.tauMin + margin))))
      entries.append((BoundMargin.upperName, mean(tau.greater(configuration.tauMax - margin))))
    }
    entries.append(("dealt_apart", .full([], Double(dealtApart) / count, dtype: .float64, device: encoder.device)))
    return StepSums(
      names: entries.map(\.name), sums: .stack(entries.map { $0.mean.to(.float64) * count }),
      weight: configuration.batch)
  }
}

extension ContrastConfiguration {
  /// The encoders, and what is learned beside them with rates of its own. A learned scale does not decay; FastCLIP's has a
  /// fourth of the encoders' rate. Published are a fifth (CC3M) and a fourth (CC12M), constant after the warm-up until the
  /// temperature is small.
  fileprivate func groups(_ encoder: DualEncoder, _ objective: ContrastObjective, steps: Int) -> [ParameterGroup] {
    let warmup = Int((optimiser.warmup * Double(steps)).rounded())
    func schedule(_ factor: Double) -> Schedule {
      Schedule(
        peak: optimiser.learningRate * factor, floor: optimiser.learningRateFloor * factor, warmup: warmup,
        steps: steps)
    }
    var groups = [
      ParameterGroup(
        name: "encoder", parameters: encoder.encoderParameters(of: train), schedule: schedule(1),
        weightDecay: optimiser.weightDecay)
    ]
    if loss.learnsScale {
      groups.append(
        ParameterGroup(
          name: "scale", parameters: [NamedTensor(DualEncoder.logitScaleName, encoder.logitScale)],
          schedule: schedule(loss == .fastclip ? 0.25 : 1), weightDecay: 0))
    }
    if loss.trainsTempNet {
      groups.append(
        ParameterGroup(
          name: "tempnet", parameters: objective.networkParameters,
          schedule: Schedule(
            tempnet.schedule, peak: tempnet.learningRate, floor: tempnet.learningRateFloor,
            warmup: tempnet.schedule == .constant ? 0 : warmup, steps: steps), weightDecay: tempnet.weightDecay))
    }
    return groups
  }
}
