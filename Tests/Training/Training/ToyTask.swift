import Diagnostics
import Torch
import Training
import TrainingOptions

/// Learns a linear map with dropout from numbers that follow from the step: everything a loop has to keep in order.
final class ToyTask: MicroBatchTask {
  typealias Batch = Tensor

  let weight: Tensor
  let bias: Tensor
  let average: Tensor
  let steps: Int
  private let batchesPerStep: Int
  /// Makes the gradient of the bias infinite at this step.
  var poisonedStep: Int?
  /// Called before each validation's result is returned.
  var onValidation: () throws -> Void = {}
  private(set) var batchCount = 0
  private(set) var begunSteps: [Int] = []

  init(steps: Int, batchesPerStep: Int = 2) {
    self.steps = steps
    self.batchesPerStep = batchesPerStep
    TorchRuntime.seed(1)
    weight = Tensor.normal([4, 3]).requiringGradient()
    bias = Tensor.zeros([4]).requiringGradient()
    average = .zeros([4])
  }

  let itemName = "rows"
  var itemsPerStep: Int { 4 * batchesPerStep }

  var groups: [ParameterGroup] {
    [
      ParameterGroup(
        name: "matrix", parameters: [NamedTensor("weight", weight)],
        schedule: Schedule(peak: 0.05, floor: 0.001, warmup: 3, steps: steps), weightDecay: 0.1),
      ParameterGroup(
        name: "rest", parameters: [NamedTensor("bias", bias)],
        schedule: Schedule(.constant, peak: 0.01, steps: steps), weightDecay: 0.1),
    ]
  }
  var buffers: [NamedTensor] { [NamedTensor("average", average)] }

  func willBegin(step: Int) {
    begunSteps.append(step)
    withoutGradients {
      let output = batches(step: step)[0].dropout(0.5).linear(weight, bias: bias)
      average.copy(from: average * 0.9 + output.mean(0) * 0.1)
    }
  }

  func batches(step: Int) -> [Tensor] {
    (0..<batchesPerStep).map { part in
      Tensor((0..<12).map { Float(($0 * 7 + step * 5 + part * 3) % 11) / 5 - 1 }, shape: [4, 3])
    }
  }
  func weight(of batch: Tensor) -> Int { batch.size(0) }

  func addGradients(of batch: Tensor, _ part: StepPart) throws -> [Measurement] {
    batchCount += 1
    let output = batch.dropout(0.5).linear(weight, bias: bias)
    let loss = (output - batch.sum(1, keeping: true)).square().sum()
    (loss * (1 / Double(part.totalWeight))).backward()
    if let poisonedStep, part.step == poisonedStep - 1 { bias.gradient?.fill(with: .infinity) }
    return [Measurement("loss", loss), Measurement("square", output.square().sum())]
  }

  func validate(_ checkpoint: () throws -> Void) throws -> Metrics {
    try checkpoint()
    try onValidation()
    let batch = Tensor((0..<12).map { Float($0) / 6 - 1 }, shape: [4, 3])
    let loss = (batch.linear(weight, bias: bias) - batch.sum(1, keeping: true)).square().mean().item
    return ["loss": loss]
  }

  func warnings(_ means: Metrics) -> [TrainingWarning] { [] }

  var bytes: [UInt8] { weight.bytes + bias.bytes + average.bytes }
}
