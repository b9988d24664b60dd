import Diagnostics
import ProcessGroups
import Torch

/// A task whose steps are sums over micro-batches, which are dealt to lanes, and lanes to processes.
public protocol MicroBatchTask: TrainingTask {
  associatedtype Batch

  /// The batches of a step, counted from 0, in order; the same in every process.
  func batches(step: Int) throws -> [Batch]
  /// The number of items that count in a batch's loss.
  func weight(of batch: Batch) -> Int
  /// Adds the gradient of the batch's summed loss divided by the weight of all batches of the step.
  ///
  /// - Returns: sums over the batch's items; the loop reports their means. The first is the loss. Names and their order are
  ///   the same for every batch.
  func addGradients(of batch: Batch, _ part: StepPart) throws -> [Measurement]
}

/// The place of a batch in its step.
public struct StepPart: Sendable {
  public let step: Int
  /// Of the batch, counted from 0.
  public let index: Int
  /// The items of all batches of the step, at least 1.
  public let totalWeight: Int

  public init(step: Int, index: Int, totalWeight: Int) {
    (self.step, self.index, self.totalWeight) = (step, index, totalWeight)
  }
}

extension MicroBatchTask {
  public func addGradients(_ step: TrainingStep) throws -> StepSums {
    let (nodes, names, weight) = try step.processes.together { try laneSums(step) }
    let root = try step.processes.sum(nodes, lanes: step.lanes)
    if step.lanes > 1 {
      for (parameter, gradient) in zip(groups.flatMap(\.parameters), root.dropFirst()) {
        parameter.tensor.gradient!.copy(from: gradient)
      }
    }
    return StepSums(names: names, sums: root[0], weight: weight)
  }

  /// The sums of this process's lanes: the measurements, [names], and, for several lanes, the gradients of all
  /// parameters. With one lane the gradients are already the sum.
  private func laneSums(_ step: TrainingStep) throws -> (nodes: [LaneSum], names: [String], weight: Int) {
    let batches = try batches(step: step.number)
    guard batches.count >= step.lanes else {
      throw Failure(
        .badConfiguration, "a step has \(batches.count) micro-batches, too few for \(step.lanes) lanes")
    }
    let weight = batches.reduce(0) { $0 + self.weight(of: $1) }
    var names: [String] = []
    let nodes = try step.processes.lanes(of: step.lanes).map { lane in
      var sums: Tensor?
      for index in lane * batches.count / step.lanes..<(lane + 1) * batches.count / step.lanes {
        step.seedGenerators(part: index)
        let part = StepPart(step: step.number, index: index, totalWeight: max(1, weight))
        let measured = try addGradients(of: batches[index], part)
        names = measured.map(\.name)
        let added = Tensor.stack(measured.map { $0.sum.detached().to(.float64) })
        sums = sums.map { $0 + added } ?? added
      }
      guard let sums else { preconditionFailure("a lane without batches") }
      return LaneSum(lanes: lane..<lane + 1, tensors: [sums] + (step.lanes > 1 ? takenGradients() : []))
    }
    return (nodes, names, weight)
  }

  /// Takes the gradients of the parameters, which begin at zero again.
  private func takenGradients() -> [Tensor] {
    withoutGradients {
      groups.flatMap(\.parameters).map { parameter in
        guard let gradient = parameter.tensor.gradient else {
          preconditionFailure("several lanes need a gradient of every parameter in each; \(parameter.name) has none")
        }
        let taken = gradient + 0
        gradient.fill(with: 0)
        return taken
      }
    }
  }
}
