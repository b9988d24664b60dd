import Torch

/// What a training loop needs to know of the thing it trains.
///
/// Everything a task computes for a step may depend only on the parameters, the buffers and the step's number: that is what
/// makes a resumed run equal one that was never interrupted. Random numbers drawn from libtorch's generators fulfil this
/// after `TrainingStep.seedMachine`.
public protocol TrainingTask: AnyObject {
  /// The trained parameters, each in one group.
  var groups: [ParameterGroup] { get }
  /// Tensors besides the parameters that change from step to step, such as moving averages.
  var buffers: [NamedTensor] { get }
  /// What is counted, in the plural: `tokens`.
  var itemName: String { get }
  /// How many items a step has when none is masked; for the progress display.
  var itemsPerStep: Int { get }
  /// Which of the validation metrics decides which parameters are the best; the lowest wins.
  var criterion: String { get }

  /// Adds the gradient of the mean loss over the items of this process's share of a step. The mean is over the items of
  /// all processes.
  func addGradients(_ step: TrainingStep) throws -> StepSums
  /// Measures the parameters as they are, on items that are never trained on.
  ///
  /// - Parameter checkpoint: to be called now and then; it throws when the run has to stop.
  func validate(_ checkpoint: () throws -> Void) throws -> Metrics
  /// What a person should be told about the means of the last steps.
  func warnings(_ means: Metrics) -> [TrainingWarning]
}

extension TrainingTask {
  public var buffers: [NamedTensor] { [] }
  public var criterion: String { "loss" }
  public func warnings(_ means: Metrics) -> [TrainingWarning] { [] }
}

/// One step of a run.
public struct TrainingStep: Sendable {
  /// From 0.
  public let number: Int
  private let seed: UInt64

  public init(number: Int, seed: Int) { (self.number, self.seed) = (number, UInt64(seed)) }

  /// Seeds libtorch's generators for what one part of the step draws.
  public func seedMachine(part: Int) { Seeds.seedMachine(seed, step: number, microBatch: part) }
}

/// What a task measured in a step.
public struct StepSums {
  /// The names of the sums; the first is the loss. Names and order are the same in every step.
  public let names: [String]
  /// float64 [names], over the items of this process.
  public let sums: Tensor
  /// How many items counted, over all processes.
  public let weight: Int

  public init(names: [String], sums: Tensor, weight: Int) {
    (self.names, self.sums, self.weight) = (names, sums, weight)
  }
}

/// A task whose steps are batches that go through the network one after the other, and whose gradients add up before the
/// optimiser moves. Pretraining and fitting are such.
public protocol MicroBatchTask: TrainingTask {
  associatedtype Batch

  /// The batches of a step, counted from 0, in order.
  func batches(step: Int) throws -> [Batch]
  /// How many items count in a batch's loss.
  func weight(of batch: Batch) -> Int
  /// Adds the gradient of the batch's summed loss divided by the weight of the whole step.
  ///
  /// - Returns: sums over the batch's items; the loop reports their means. The first has to be the loss, and names and
  ///   their order have to be the same for every batch.
  func addGradients(of batch: Batch, _ part: StepPart) throws -> [Measurement]
}

/// The place of a batch in its step.
public struct StepPart: Sendable {
  public let step: Int
  /// Of the batch, from 0.
  public let index: Int
  /// The items of all batches of the step, at least 1.
  public let totalWeight: Int

  public init(step: Int, index: Int, totalWeight: Int) {
    (self.step, self.index, self.totalWeight) = (step, index, totalWeight)
  }
}

extension MicroBatchTask {
  public func addGradients(_ step: TrainingStep) throws -> StepSums {
    let batches = try batches(step: step.number)
    let weight = batches.reduce(0) { $0 + self.weight(of: $1) }
    var names: [String] = []
    var sums: Tensor?
    for (index, batch) in batches.enumerated() {
      step.seedMachine(part: index)
      let part = StepPart(step: step.number, index: index, totalWeight: max(1, weight))
      let measured = try addGradients(of: batch, part)
      names = measured.map(\.name)
      let added = Tensor.stack(measured.map { $0.sum.detached().to(.float64) })
      sums = sums.map { $0 + added } ?? added
    }
    guard let sums else { preconditionFailure("a step without batches") }
    return StepSums(names: names, sums: sums, weight: weight)
  }
}

/// A sum over the items of a batch: a tensor of rank 0.
public struct Measurement {
  public let name: String
  public let sum: Tensor

  public init(_ name: String, _ sum: Tensor) {
    self.name = name
    self.sum = sum
  }
}

/// A message that is shown once per run for each kind.
public struct TrainingWarning: Equatable, Sendable {
  public let kind: String
  public let message: String

  public init(_ kind: String, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

/// Parameters that share a learning rate, a weight decay and a limit to their gradient's norm.
public struct ParameterGroup {
  public let name: String
  public let parameters: [NamedTensor]
  public let schedule: Schedule
  /// Applied to matrices only: decaying biases and norms towards 0 helps nothing.
  public let weightDecay: Double

  public init(name: String, parameters: [NamedTensor], schedule: Schedule, weightDecay: Double) {
    self.name = name
    self.parameters = parameters
    self.schedule = schedule
    self.weightDecay = weightDecay
  }
}
