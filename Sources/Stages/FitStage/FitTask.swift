import Glibc
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch
import Training
import TrainingOptions

/// A TempNet that is fitted to rows of features.
final class FitTask<Network: FitNetwork>: MicroBatchTask {
  typealias Rows = Network.Rows

  let network: Network
  private let configuration: FitConfiguration
  private let training: Rows
  private let validation: Rows
  private let rho: Double
  private let order: EpochOrder
  /// The exact temperatures of the validation's rows, [N]; they do not change.
  let exact: Tensor
  let steps: Int

  init(_ network: Network, _ configuration: FitConfiguration, training: Rows, validation: Rows, rho: Double) {
    self.network = network
    self.configuration = configuration
    self.training = training
    self.validation = validation
    self.rho = rho
    order = EpochOrder(count: training.count, seed: UInt64(configuration.seed))
    exact = validation.profile.optimum(entropies: validation.entropies(rho: rho).each, bounds: network.bounds)
    steps = max(1, Int((configuration.epochs * Double(training.count) / Double(configuration.batch)).rounded(.up)))
    startAtBestSingleTemperature()
    network.requireGradients()
  }

  /// Starts the network at the best single temperature. Otherwise the first steps would go into learning that one number.
  private func startAtBestSingleTemperature() {
    let single = SingleTemperature.robust(
      profile: training.profile, entropy: training.entropies(rho: rho).mean, bounds: network.bounds)
    let sample = training.rows(Array(0..<min(training.count, 4096)))
    let mean = withoutGradients { network(sample, training: false).mean().item }
    network.start(at: single, from: mean)
  }

  var itemName: String { training.kind.rawValue }
  var itemsPerStep: Int { configuration.batch }
  var criterion: String { configuration.objective.criterion }

  var groups: [ParameterGroup] {
    let optimiser = configuration.optimiser
    let schedule = Schedule(
      peak: optimiser.learningRate, floor: optimiser.learningRateFloor,
      warmup: Int(optimiser.warmup * Double(steps)), steps: steps)
    return [
      ParameterGroup(
        name: "tempnet", parameters: network.parameters, schedule: schedule, weightDecay: optimiser.weightDecay)
    ]
  }

  /// One batch for each lane.
  func batches(step: Int) -> [Rows] {
    let (size, lanes) = (configuration.batch, configuration.lanes)
    return (0..<lanes).map { lane in
      training.rows(order.items(step * size + lane * size / lanes..<step * size + (lane + 1) * size / lanes))
    }
  }

  func weight(of batch: Rows) -> Int { batch.count }

  func addGradients(of batch: Rows, _ part: StepPart) -> [Measurement] {
    let tau = network(batch, training: true)
    let losses = batch.losses(at: tau, rho: rho)
    let loss = configuration.objective.values(losses, of: batch, at: tau, isTraining: true).sum()
    (loss / Double(part.totalWeight)).backward()
    return [Measurement("loss", loss)] + measurements(losses, tau)
  }

  func validate(_ checkpoint: () throws -> Void) throws -> Metrics {
    var sums: [Double] = []
    var names: [String] = []
    let chunk = max(configuration.batch, 16_384)
    for first in stride(from: 0, to: validation.count, by: chunk) {
      try checkpoint()
      let rows = first..<min(first + chunk, validation.count)
      let batch = validation.rows(Array(rows))
      let tau = network(batch, training: false)
      let losses = batch.losses(at: tau, rho: rho)
      let distance = (tau.to(.float64) - exact[rows]).abs().sum()
      let measured =
        [
          Measurement("loss", configuration.objective.values(losses, of: batch, at: tau, isTraining: false).sum())
        ]
        + measurements(losses, tau)
        + [Measurement("distance_from_exact", distance)]
      names = measured.map(\.name)
      let values = measured.map { $0.sum.item }
      sums = sums.isEmpty ? values : zip(sums, values).map(+)
    }
    return Metrics(zip(names, sums).map { (name: $0, value: $1 / Double(validation.count)) })
  }

  private func measurements(_ losses: RowLosses, _ tau: Tensor) -> [Measurement] {
    let bounds = network.bounds
    let margin = BoundMargin.width(of: bounds)
    let tau = tau.detached()
    return [
      Measurement("robust_loss", losses.robust), Measurement("cross_entropy", losses.crossEntropy),
      Measurement("temperature", tau),
      Measurement(BoundMargin.lowerName, tau.less(bounds.lowerBound + margin).to(.float64)),
      Measurement(BoundMargin.upperName, tau.greater(bounds.upperBound - margin).to(.float64)),
    ].map { Measurement($0.name, $0.sum.detached().sum()) }
  }

  func warnings(_ means: Metrics) -> [TrainingWarning] {
    BoundMargin.warning(
      lower: means[BoundMargin.lowerName], upper: means[BoundMargin.upperName], bounds: network.bounds
    ).map { [TrainingWarning($0.kind, $0.message)] } ?? []
  }

  /// The validation's temperatures as the network now predicts them, float32 [N].
  func validationTemperatures() -> Tensor {
    withoutGradients {
      .concatenate(
        stride(from: 0, to: validation.count, by: 4096).map { first in
          network(validation.rows(Array(first..<min(first + 4096, validation.count))), training: false)
        })
    }
  }
}
