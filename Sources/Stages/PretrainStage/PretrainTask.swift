import Diagnostics
import Glibc
import LanguageModels
import StageDescriptions
import TemperatureSettings
import TokenWindows
import Torch
import Training
import TrainingOptions

/// A language model and the objective it is trained with, as the training loop sees them.
final class PretrainTask<Sequence: TokenSequence>: MicroBatchTask {
  let model: LanguageModel
  let objective: TokenObjective
  let groups: [ParameterGroup]
  let buffers: [NamedTensor]
  private let training: TrainingWindows<Sequence>
  private let validation: CoveringWindows<Sequence>
  /// The bytes of text that a validation token stands for, on average.
  private let bytesPerToken: Double
  private let microBatch: Int
  private let lossChunk: Int
  /// The hidden states of a step's first micro-batch, which `willBegin` has computed already.
  private var opening: (step: Int, hidden: Tensor)?

  /// How many tokens of a step TempNet's moments are averaged over: next to no work beside the step's.
  private static var observedTokens: Int { 256 }

  /// The default of `micro_batch` on a processor, in tokens. Matrices of 1,024 rows are as quick as larger ones, and a block
  /// keeps a fourth of the memory for its gradient that 16 windows of 256 tokens would take.
  private static var cacheableTokens: Int { 1024 }

  /// - Parameters:
  ///   - validationBytes: of the validation split's text.
  init(
    model: LanguageModel, objective: TokenObjective, training: TrainingWindows<Sequence>,
    validation: CoveringWindows<Sequence>, validationBytes: Int, configuration: PretrainConfiguration
  ) {
    self.model = model
    self.objective = objective
    self.training = training
    self.validation = validation
    bytesPerToken = Double(validationBytes) / Double(validation.sequence.count)
    microBatch =
      configuration.microBatch
      ?? (model.device == .cpu ? max(1, Self.cacheableTokens / configuration.context) : configuration.batch)
    lossChunk = configuration.lossChunk
    groups = configuration.groups(model, objective.temperature)
    if case .network(let network) = objective.temperature {
      buffers = network.buffers.map { NamedTensor("tempnet.\($0.name)", $0.tensor) }
    } else {
      buffers = []
    }
  }

  let itemName = "tokens"
  var itemsPerStep: Int { training.windowsPerStep * training.context }

  /// Averages TempNet's moments over the beginning of the step's first window, however the step is dealt to processes and cut
  /// into micro-batches.
  func willBegin(step: Int) throws {
    guard case .network(let network) = objective.temperature, !network.buffers.isEmpty else { return }
    let batch = try training.batch(step: step, rows: 0..<min(microBatch, training.windowsPerStep))
    let hidden = model.hiddenStates(of: CountedWindows(batch, device: model.device), training: true)
    let count = batch.labels.prefix(min(batch.context, Self.observedTokens)).count { $0 != WindowBatch.masked }
    let part = hidden.detached()[0..<count]
    network.updateMoments(model.logits(part), hidden: part, step: step)
    // With dropout the micro-batch is computed again, so that model and TempNet draw one after the other.
    opening = model.configuration.dropout == 0 ? (step, hidden) : nil
  }

  func batches(step: Int) throws -> [WindowBatch] { try training.batches(step: step, rows: microBatch) }
  func weight(of batch: WindowBatch) -> Int { batch.countedLabels }

  /// The logits of a whole batch would be the largest thing in memory by far. So the hidden state is computed once, and
  /// head and loss go over it in chunks, each of which leaves its part of the hidden state's gradient; then that goes
  /// back through the body.
  func addGradients(of batch: WindowBatch, _ part: StepPart) throws -> [Measurement] {
    let counted = CountedWindows(batch, device: model.device)
    let hidden = openingStates(of: part) ?? model.hiddenStates(of: counted, training: true)
    var gradients: [Tensor] = []
    var sums: [[Measurement]] = []
    for rows in chunks(counted.labels.count) {
      let chunk = hidden[rows].detached().requiringGradient()
      sums.append(
        objective.addGradients(
          logits: model.logits(chunk), hidden: chunk, labels: counted.labels[rows],
          scale: 1 / Double(part.totalWeight)))
      gradients.append(chunk.gradient!)
    }
    if !gradients.isEmpty { hidden.backward(.concatenate(gradients)) }
    return added(sums)
  }

  /// The hidden states that `willBegin` has computed for the first part of the step, to be used once.
  private func openingStates(of part: StepPart) -> Tensor? {
    guard let opening, part.step == opening.step, part.index == 0 else { return nil }
    self.opening = nil
    return opening.hidden
  }

  func validate(_ checkpoint: () throws -> Void) throws -> Metrics {
    var sums: [[Measurement]] = []
    var count = 0
    for range in validation.ranges(rows: microBatch) {
      try checkpoint()
      let counted = CountedWindows(try validation.batch(range), device: model.device)
      let (hidden, labels) = (model.hiddenStates(of: counted), counted.labels)
      count += labels.count
      for rows in chunks(labels.count) {
        let part = hidden[rows]
        sums.append(objective.measure(logits: model.logits(part), hidden: part, labels: labels[rows]))
      }
    }
    var metrics = Metrics(added(sums).map { (name: $0.name, value: $0.sum.item / Double(max(1, count))) })
    for (name, source) in [
      ("bits_per_byte", "cross_entropy"), ("tempered_bits_per_byte", "tempered_cross_entropy"),
    ] {
      metrics.append(name, (metrics[source] ?? .nan) / (log(2) * bytesPerToken))
    }
    return metrics
  }

  func warnings(_ means: Metrics) -> [TrainingWarning] {
    guard case .network = objective.temperature else { return [] }
    return BoundMargin.warning(
      lower: means[BoundMargin.lowerName], upper: means[BoundMargin.upperName], bounds: objective.bounds
    ).map { [TrainingWarning($0.kind, $0.message)] } ?? []
  }

  private func chunks(_ count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: lossChunk).map { $0..<min($0 + lossChunk, count) }
  }

  /// Sums of equally named measurements, in the order of the first.
  private func added(_ sums: [[Measurement]]) -> [Measurement] {
    guard let first = sums.first else { return TokenObjective.nothingMeasured }
    return sums.dropFirst().reduce(first) { total, part in
      zip(total, part).map { Measurement($0.name, $0.sum + $1.sum) }
    }
  }
}

extension PretrainConfiguration {
  /// The model with its schedule, and TempNet with its own.
  fileprivate func groups(_ model: LanguageModel, _ temperature: TokenObjective.Temperature) -> [ParameterGroup] {
    let warmup = Int((optimiser.warmup * Double(steps)).rounded())
    let rates = Schedule(peak: optimiser.learningRate, floor: optimiser.learningRateFloor, warmup: warmup, steps: steps)
    let own = ParameterGroup(
      name: "model", parameters: model.parameters(under: "model").filter(\.tensor.requiresGradient), schedule: rates,
      weightDecay: optimiser.weightDecay)
    guard case .network(let network) = temperature else { return [own] }
    let tempnetRates = Schedule(
      tempnet.schedule, peak: tempnet.learningRate, floor: tempnet.learningRateFloor,
      warmup: tempnet.schedule == .constant ? 0 : warmup, steps: steps)
    return [
      own,
      ParameterGroup(
        name: "tempnet", parameters: network.parameters(under: "tempnet"), schedule: tempnetRates,
        weightDecay: tempnet.weightDecay),
    ]
  }
}
