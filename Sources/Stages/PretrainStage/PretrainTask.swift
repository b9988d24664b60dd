import Diagnostics
import Glibc
import LanguageModels
import StageDescriptions
import TemperatureSettings
import TokenWindows
import Tokenization
import Torch
import Training

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

  /// How many tokens of a step TempNet looks at to know how its inputs lie: next to no work beside the step's.
  private static var observedTokens: Int { 256 }

  /// How many tokens go through the model at once on a processor that was not told: matrices of so many rows are as quick
  /// as larger ones, and what a block keeps for its gradient takes a fourth of what 16 windows of 256 tokens would.
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

  func batches(step: Int) throws -> [WindowBatch] { try training.batches(step: step, rows: microBatch) }
  func weight(of batch: WindowBatch) -> Int { batch.countedLabels }

  /// The logits of a whole batch would be the largest thing in memory by far. So the hidden state is computed once, and
  /// head and loss go over it in chunks, each of which leaves its part of the hidden state's gradient; then that goes
  /// back through the body.
  func addGradients(of batch: WindowBatch, _ part: StepPart) throws -> [Measurement] {
    let (hidden, labels) = countedRows(batch, training: true)
    if part.index == 0 { updateMoments(hidden, of: batch, step: part.step) }
    var gradients: [Tensor] = []
    var sums: [[Measurement]] = []
    for rows in chunks(labels.count) {
      let chunk = hidden[rows].detached().requiringGradient()
      sums.append(
        objective.addGradients(
          logits: model.logits(chunk), hidden: chunk, labels: labels[rows], scale: 1 / Double(part.totalWeight)))
      gradients.append(chunk.gradient!)
    }
    if !gradients.isEmpty { hidden.backward(.concatenate(gradients)) }
    return added(sums)
  }

  /// Shows TempNet the beginning of the step's first window, however the step is cut into micro-batches and chunks.
  private func updateMoments(_ hidden: Tensor, of batch: WindowBatch, step: Int) {
    guard case .network(let network) = objective.temperature else { return }
    let count = batch.labels.prefix(min(batch.context, Self.observedTokens)).count { $0 != WindowBatch.masked }
    let part = hidden.detached()[0..<count]
    network.updateMoments(model.logits(part), hidden: part, step: step)
  }

  func validate(_ checkpoint: () throws -> Void) throws -> Metrics {
    var sums: [[Measurement]] = []
    var count = 0
    for range in validation.ranges(rows: microBatch) {
      try checkpoint()
      let (hidden, labels) = countedRows(try validation.batch(range), training: false)
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
      lower: means["at_lower_bound"], upper: means["at_upper_bound"], bounds: objective.bounds
    ).map { [TrainingWarning($0.kind, $0.message)] } ?? []
  }

  /// The hidden states [N, width] of the tokens that have a label, and the labels [N].
  private func countedRows(_ batch: WindowBatch, training: Bool) -> (hidden: Tensor, labels: Tensor) {
    let shape = [batch.rows, batch.context]
    let inputs = Tensor(batch.inputs, shape: shape).to(model.device)
    let starts = batch.documentStarts.map { Tensor($0, shape: shape).to(model.device) }
    let hidden = model.hiddenStates(inputs, documentStarts: starts, training: training)
      .reshaped([batch.rows * batch.context, model.configuration.width])
    let counted = batch.labels.indices.filter { batch.labels[$0] != WindowBatch.masked }
    let labels = Tensor(counted.map { batch.labels[$0] }).to(model.device)
    if counted.count == batch.labels.count { return (hidden, labels) }
    return (hidden.selected(0, indices: Tensor(counted).to(model.device)), labels)
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
    let isConstant = tempnet.schedule == .constant
    let tempnetRates = Schedule(
      isConstant ? .constant : .cosine, peak: tempnet.learningRate, floor: tempnet.learningRateFloor,
      warmup: isConstant ? 0 : warmup, steps: steps)
    return [
      own,
      ParameterGroup(
        name: "tempnet", parameters: network.parameters(under: "tempnet"), schedule: tempnetRates,
        weightDecay: tempnet.weightDecay),
    ]
  }
}
