import Glibc
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch
import Training
import TrainingOptions

/// A TempNet that is fitted to rows of features.
final class FitTask: MicroBatchTask {
  private let trained: StandardisedNetwork
  private let configuration: FitConfiguration
  private let head: Head
  private let unembedding: FoldedUnembedding
  private let training: FeatureSplit
  private let validation: FeatureSplit
  private let order: EpochOrder
  /// The exact temperatures of the validation's rows, [N]; they do not change.
  let exact: Tensor
  let steps: Int

  init(
    _ fresh: TemperatureNetwork, _ configuration: FitConfiguration, head: Head, training: FeatureSplit,
    validation: FeatureSplit, computeType: DType
  ) {
    let (moments, mean) = training.moments(fresh.settings, head)
    trained = StandardisedNetwork(fresh, moments)
    self.configuration = configuration
    self.head = head
    unembedding = trained.foldedUnembedding(head.weight, bias: head.bias, mean: mean, computeType: computeType)
    self.training = training
    self.validation = validation
    order = EpochOrder(count: training.count, seed: UInt64(configuration.seed))
    exact = validation.profile.optimum(entropy: fresh.settings.entropy, bounds: fresh.settings.bounds)
    steps = max(1, Int((configuration.epochs * Double(training.count) / Double(configuration.batch)).rounded(.up)))
    startAtBestSingleTemperature()
    trained.requireGradients()
  }

  /// The network as it is now, in its published form.
  var network: TemperatureNetwork { trained.published }
  private var settings: TempNetSettings { trained.settings }

  /// Starts the network at the best single temperature. Otherwise the first steps would go into learning that one number.
  private func startAtBestSingleTemperature() {
    let single = SingleTemperature.robust(
      profile: training.profile, entropy: settings.entropy, bounds: settings.bounds)
    let sample = training.rows(Array(0..<min(training.count, 4096)))
    let mean = withoutGradients { predicted(sample, training: false).mean().item }
    trained.start(at: single, from: mean)
  }

  let itemName = "tokens"
  var itemsPerStep: Int { configuration.batch }

  var groups: [ParameterGroup] {
    let optimiser = configuration.optimiser
    let schedule = Schedule(
      peak: optimiser.learningRate, floor: optimiser.learningRateFloor,
      warmup: Int(optimiser.warmup * Double(steps)), steps: steps)
    return [
      ParameterGroup(
        name: "tempnet", parameters: trained.parameters, schedule: schedule, weightDecay: optimiser.weightDecay)
    ]
  }

  func batches(step: Int) -> [FeatureSplit] {
    [training.rows(order.items(step * configuration.batch..<(step + 1) * configuration.batch))]
  }

  func weight(of batch: FeatureSplit) -> Int { batch.count }

  func addGradients(of batch: FeatureSplit, _ part: StepPart) -> [Measurement] {
    let scores = score(batch, predicted(batch, training: true))
    let loss = scores.loss(configuration.objective).sum()
    (loss / Double(part.totalWeight)).backward()
    return [Measurement("loss", loss)] + scores.measurements(settings)
  }

  func validate(_ checkpoint: () throws -> Void) throws -> Metrics {
    var sums: [Double] = []
    var names: [String] = []
    let chunk = max(configuration.batch, 16_384)
    for first in stride(from: 0, to: validation.count, by: chunk) {
      try checkpoint()
      let rows = first..<min(first + chunk, validation.count)
      let batch = validation.rows(Array(rows))
      let scores = score(batch, predicted(batch, training: false))
      let distance = (scores.tau.to(.float64) - exact[rows]).abs().sum()
      let measured =
        [Measurement("loss", scores.loss(configuration.objective).sum())] + scores.measurements(settings)
        + [Measurement("distance_from_exact", distance)]
      names = measured.map(\.name)
      let values = measured.map { $0.sum.item }
      sums = sums.isEmpty ? values : zip(sums, values).map(+)
    }
    return Metrics(zip(names, sums).map { (name: $0, value: $1 / Double(validation.count)) })
  }

  func warnings(_ means: Metrics) -> [TrainingWarning] {
    BoundMargin.warning(
      lower: means["at_lower_bound"], upper: means["at_upper_bound"], bounds: settings.bounds
    ).map { [TrainingWarning($0.kind, $0.message)] } ?? []
  }

  /// The validation's temperatures as the network now predicts them, float32 [N].
  func validationTemperatures() -> Tensor {
    withoutGradients {
      .concatenate(
        stride(from: 0, to: validation.count, by: 4096).map { first in
          predicted(validation.rows(Array(first..<min(first + 4096, validation.count))), training: false)
        })
    }
  }

  private func predicted(_ batch: FeatureSplit, training: Bool) -> Tensor {
    switch configuration.method {
    case .profile: trained.folded(unembedding)(hidden: batch.hidden, logits: batch.logits, training: training)
    case .logits: network(head(batch.hidden), hidden: batch.hidden, training: training)
    }
  }

  private func score(_ batch: FeatureSplit, _ tau: Tensor) -> Scores {
    switch configuration.method {
    case .profile:
      let value = batch.profile(at: tau).value
      let tau64 = tau.to(.float64)
      // ℓ = G(τ) - x_y - H₀ τ and CE = (G(τ) - x_y) / τ, with x counted from the maximum.
      return Scores(
        tau: tau, robust: value - batch.target - tau64 * settings.entropy,
        crossEntropy: (value - batch.target) / tau64)
    case .logits:
      let logits = head(batch.hidden)
      return Scores(
        tau: tau,
        robust: RobustLoss.perToken(logits: logits, labels: batch.label, tau: tau, rho: settings.rho),
        crossEntropy: RobustLoss.temperedCrossEntropy(logits: logits, labels: batch.label, tau: tau))
    }
  }
}

/// Losses of some tokens at their predicted temperatures, all [N].
private struct Scores {
  let tau: Tensor
  let robust: Tensor
  let crossEntropy: Tensor

  func loss(_ objective: FitConfiguration.Objective) -> Tensor {
    objective == .robust ? robust : crossEntropy
  }

  func measurements(_ settings: TempNetSettings) -> [Measurement] {
    let margin = BoundMargin.width(of: settings.bounds)
    let tau = tau.detached()
    return [
      Measurement("robust_loss", robust), Measurement("cross_entropy", crossEntropy), Measurement("temperature", tau),
      Measurement("at_lower_bound", tau.less(settings.tauMin + margin).to(.float64)),
      Measurement("at_upper_bound", tau.greater(settings.tauMax - margin).to(.float64)),
    ].map { Measurement($0.name, $0.sum.detached().sum()) }
  }
}
