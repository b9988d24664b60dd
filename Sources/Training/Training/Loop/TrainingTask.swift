import ProcessGroups
import Torch
import TrainingOptions

/// A model with its data, which a training loop trains step by step. The loop knows neither batches nor the nature of
/// an item.
///
/// The computation of a step may depend only on the parameters, the buffers and the step's number, so that a resumed
/// run equals an uninterrupted one. Random numbers from libtorch's generators fulfil this, because these are seeded
/// anew for each piece of work.
public protocol TrainingTask: AnyObject {
  /// The trained parameters, each in one group.
  var groups: [ParameterGroup] { get }
  /// Tensors besides the parameters that change from step to step, such as moving averages.
  var buffers: [NamedTensor] { get }
  /// The name of the items, in the plural: `tokens`.
  var itemName: String { get }
  /// The number of items of a step when none is masked; for the progress display.
  var itemsPerStep: Int { get }
  /// The validation metric that decides which parameters are the best; the lowest wins.
  var criterion: String { get }

  /// Prepares everything that depends on the step's number alone, counted from 0; equal in every process.
  ///
  /// The generators are seeded as for the first part of the step.
  func willBegin(step: Int) throws
  /// Sets the gradient of each parameter to that of the step's loss per item, equal in all processes.
  func addGradients(_ step: TrainingStep) throws -> StepSums
  /// Measures the parameters as they are, on items that are never trained on; the same in every process.
  ///
  /// - Parameter checkpoint: to be called now and then, equally often in every process; it throws when the run has to stop.
  func validate(_ checkpoint: () throws -> Void) throws -> Metrics
  /// Warnings about the means of the last steps.
  func warnings(_ means: Metrics) -> [TrainingWarning]
}

extension TrainingTask {
  public var buffers: [NamedTensor] { [] }
  public var criterion: String { "loss" }
  public func willBegin(step: Int) throws {}
  public func warnings(_ means: Metrics) -> [TrainingWarning] { [] }
}

/// One step of a run.
public struct TrainingStep: Sendable {
  /// Counted from 0.
  public let number: Int
  /// The number of lanes that the step's work is dealt to.
  public let lanes: Int
  /// The processes that share the lanes.
  public let processes: any ProcessGroup
  private let seed: UInt64

  /// - Parameter seed: the run's.
  public init(number: Int, seed: Int, lanes: Int = 1, processes: any ProcessGroup = OneProcess()) {
    (self.number, self.lanes, self.processes, self.seed) = (number, lanes, processes, UInt64(seed))
  }

  /// Seeds libtorch's generators for one part of the step.
  public func seedGenerators(part: Int) { Seeds.seedGenerators(seed, step: number, microBatch: part) }
}

/// Sums over the items of a step, equal in all processes.
public struct StepSums {
  /// The first is the loss. Names and their order are the same in every step.
  public let names: [String]
  /// [names], float64.
  public let sums: Tensor
  /// The number of items that count.
  public let weight: Int

  public init(names: [String], sums: Tensor, weight: Int) {
    (self.names, self.sums, self.weight) = (names, sums, weight)
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
