import Configuration
import Glibc
import LanguageModels
import StageDescriptions
import TempNet
import TokenWindows
import Torch
import Training

@testable import PretrainStage

/// A model small enough to differentiate by hand, in float64, on tokens with two document boundaries.
struct Fixture {
  static let vocabulary = 11
  let configuration: PretrainConfiguration
  let model: LanguageModel
  let tempnet: JointNetwork?
  let objective: TokenObjective
  let tokens = TokenArray((0..<60).map { Int32(($0 * $0 + 3) % 11) }, documentStarts: [0, 17, 33])

  init(_ objective: PretrainConfiguration.Objective, _ settings: [String] = []) throws {
    let settings =
      [
        "objective=\(objective.rawValue)", "model.layers=1", "model.width=8", "model.heads=2", "context=6", "batch=4",
        "entropy=1.7", "tau_min=0.05", "tempnet.hidden=5", "tempnet.dropout=0",
      ] + settings
    configuration = try PretrainConfiguration(settings)
    let networks = try TrainedNetworks(
      configuration, vocabulary: Self.vocabulary, base: nil, Resolution(device: .cpu, computeType: .float32))
    // Weights as they start are too alike to tell a wrong gradient from a right one.
    TorchRuntime.seed(4)
    func scrambled(_ tensor: Tensor) -> Tensor {
      let noise = Tensor.normal(tensor.shape, standardDeviation: 0.3).to(.float64)
      return withoutGradients { tensor.detached().to(.float64) + noise }.requiringGradient()
    }
    model = LanguageModel(
      networks.model.configuration,
      parameters: networks.model.parameters.map { NamedTensor($0.name, scrambled($0.tensor)) }, computeType: .float64)
    tempnet = networks.tempnet.map { network in
      JointNetwork(
        network.published.mapped(scrambled),
        coordinates: network.buffers.isEmpty ? .published : .standardised)
    }
    self.objective = TokenObjective(
      temperature: tempnet.map { .network($0) } ?? networks.objective.temperature,
      isRobust: networks.objective.isRobust, targetEntropy: networks.objective.targetEntropy,
      bounds: networks.objective.bounds)
  }

  func task(_ settings: PretrainConfiguration? = nil) throws -> PretrainTask<TokenArray> {
    let settings = settings ?? configuration
    return PretrainTask(
      model: model, objective: objective,
      training: try TrainingWindows(tokens, context: settings.context, windowsPerStep: settings.batch, seed: 3),
      validation: try CoveringWindows(tokens, context: settings.context), validationBytes: 200,
      configuration: settings)
  }

  /// The labelled positions of a step: logits [N, V], recorded, and labels.
  func logits(step: Int) throws -> (logits: Tensor, labels: Tensor) {
    let windows = try TrainingWindows(
      tokens, context: configuration.context, windowsPerStep: configuration.batch, seed: 3)
    let batch = try windows.batches(step: step, rows: configuration.batch)[0]
    let shape = [batch.rows, batch.context]
    let hidden = model.hiddenStates(
      Tensor(batch.inputs, shape: shape), documentStarts: batch.documentStarts.map { Tensor($0, shape: shape) })
    let counted = batch.labels.indices.filter { batch.labels[$0] != WindowBatch.masked }
    let rows = hidden.reshaped([-1, model.configuration.width]).selected(0, indices: Tensor(counted))
    return (model.logits(rows), Tensor(counted.map { batch.labels[$0] }))
  }
}

extension PretrainConfiguration {
  init(_ settings: [String]) throws {
    self = try Self.resolve(file: nil, overrides: settings.map(ConfigurationOverride.init(parsing:))).values
  }
}

/// The gradient of every parameter, by its name, after a step; gradients are cleared.
func gradients(_ task: PretrainTask<TokenArray>, step: Int) throws -> [String: [Double]] {
  try task.willBegin(step: step)
  _ = try task.addGradients(TrainingStep(number: step, seed: 0))
  let parameters = task.groups.flatMap(\.parameters)
  defer { for parameter in parameters { parameter.tensor.clearGradient() } }
  return Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.tensor.gradient!.doubles) })
}

/// Central differences of `loss` by some elements of a tensor, and what `gradient` says of the same elements.
func differences(
  _ tensor: Tensor, _ gradient: [Double], of loss: () throws -> Double
) rethrows -> [(numeric: Double, given: Double)] {
  let step = 1e-5
  let flat = tensor.detached().reshaped([-1])
  let indices = stride(from: 0, to: tensor.count, by: max(1, tensor.count / 7))
  return try indices.map { index in
    let element = flat[index]
    let value = element.item
    element.fill(with: value + step)
    let high = try loss()
    element.fill(with: value - step)
    let low = try loss()
    element.fill(with: value)
    return ((high - low) / (2 * step), gradient[index])
  }
}
