import ContrastiveLosses
import EncoderDescriptions
import StageDescriptions
import Testing
import Torch
import Training

@testable import ContrastStage
@testable import ImageTextModels

/// Gradients from chunks and tiles against those of one large batch, with dropout.
@Suite struct GradientTests {
  private let pairs = SyntheticPairs(120)

  private func task(_ settings: [String], _ dtype: DType) throws -> ContrastTask {
    let configuration = try configuration(
      ["batch=48", "heads.hidden=32", "heads.embed=16", "heads.dropout=0.3", "micro_batch=13"] + settings
    ).values
    let shape = DualEncoderConfiguration.heads(
      HeadsConfiguration(
        image: TowerRecord("image", width: SyntheticPairs.widths.image),
        text: TowerRecord("text", width: SyntheticPairs.widths.text), hidden: 32, embed: 16, dropout: 0.3))
    guard case .heads(let image, let text) = DualEncoder.Encoders(shape, seed: 5, device: .cpu) else {
      preconditionFailure("a configuration of heads makes heads")
    }
    let encoder = DualEncoder(
      shape, .heads(image: image.mapped { $0.to(dtype) }, text: text.mapped { $0.to(dtype) }),
      logitScale: Tensor([2.5], shape: []).to(dtype), scaleOrigin: .fixed, captionTokenizer: nil, device: .cpu)
    return try ContrastTask(
      encoder: encoder, table: pairs.table, pairs: pairs.embedded(dtype), configuration, computeType: .float32)
  }

  /// The gradients of a group's parameters after a step.
  private func gradients(_ group: ParameterGroup) -> [(name: String, gradient: [Double])] {
    group.parameters.map { ($0.name, $0.tensor.gradient!.doubles) }
  }

  /// A step in one piece: every chunk keeps its record, and the loss sees one matrix of similarities.
  private func wholeStep(_ task: ContrastTask, _ step: TrainingStep) throws {
    let batch = try task.dealer.batch(step: step.number)
    let chunks = task.chunks(of: batch)
    let parts = chunks.enumerated().map { task.embed($1, part: $0, step) }
    let rows = [0, 1].map { side in Tensor.concatenate(parts.map { $0[side] }) }
    step.seedGenerators(part: chunks.count)
    let outcome = task.objective.addGradients(
      rows,
      [
        try SampleIds(batch.pictures, of: pairs.table.pictures.count, side: .image),
        try SampleIds(batch.captions, of: pairs.table.captions.count, side: .text),
      ], step: step.number, epoch: 0)
    rows[0].backward(outcome.gradient.image.rows)
    rows[1].backward(outcome.gradient.text.rows)
  }

  @Test(arguments: ContrastConfiguration.Loss.allCases, [DType.float64, .float32])
  func `chunks and tiles give the gradients of one large batch`(
    loss: ContrastConfiguration.Loss, dtype: DType
  ) throws {
    let settings = ["loss=\(loss.rawValue)"] + (loss.hasBudget ? ["rho=1"] : [])
    let whole = try task(settings, dtype)
    let parts = try task(settings + ["loss_tile=7"], dtype)
    for number in 0..<2 {
      let step = TrainingStep(number: number, seed: 1)
      try wholeStep(whole, step)
      _ = try parts.addGradients(step)
    }
    let tolerance = dtype == .float64 ? 1e-6 : 1e-5
    for (a, b) in zip(whole.groups, parts.groups) {
      let (ours, theirs) = (gradients(a), gradients(b))
      let size = ours.flatMap(\.gradient).map { abs($0) }.max()!
      for (a, b) in zip(ours, theirs) {
        let difference = zip(a.gradient, b.gradient).map { abs($0 - $1) }.max()!
        #expect(difference <= tolerance * size, "\(a.name): \(difference / size)")
      }
    }
    for (a, b) in zip(whole.buffers, parts.buffers) {
      #expect(
        zip(a.tensor.doubles, b.tensor.doubles).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($0)) }, "\(a.name)")
    }
  }
}
