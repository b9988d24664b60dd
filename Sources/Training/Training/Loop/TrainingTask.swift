import Torch

/// What a training loop needs to know of the thing it trains. Pretraining and fitting differ in this alone.
///
/// A step has one or more batches, whose gradients add up before the optimiser moves. Everything a task computes for a
/// step may depend only on the parameters, the buffers and the step's number: that is what makes a resumed run equal one
/// that was never interrupted. Random numbers drawn from libtorch's generators fulfil this, because the loop seeds them
/// anew for each batch.
public protocol TrainingTask: AnyObject {
  associatedtype Batch

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

  /// The batches of a step, counted from 0, in order.
  func batches(step: Int) throws -> [Batch]
  /// How many items count in a batch's loss.
  func weight(of batch: Batch) -> Int
  /// Adds the gradient of the batch's summed loss divided by `totalWeight`, the weight of all batches of the step.
  ///
  /// - Returns: sums over the batch's items; the loop reports their means. The first has to be the loss, and names and
  ///   their order have to be the same for every batch.
  func addGradients(of batch: Batch, totalWeight: Int) throws -> [Measurement]
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
