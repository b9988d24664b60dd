import ContrastiveLosses
import EncoderDescriptions
import Pairs
import Pictures
import StageDescriptions
import TestSupport
import Testing
import Torch
import Training

@testable import ContrastStage
@testable import ImageTextModels

/// Gradients from chunks and tiles against those of one large batch, with dropout.
@Suite struct GradientTests {
  /// What is trained.
  enum Form: CaseIterable { case heads, towers }

  private let pairs = SyntheticPairs(120)
  private let folder = try! TemporaryFolder()

  private func task(_ form: Form, _ settings: [String], _ dtype: DType) throws -> ContrastTask {
    switch form {
    case .heads: try task(settings, dtype)
    case .towers: try towersTask(settings, dtype)
    }
  }

  private func towersTask(_ settings: [String], _ dtype: DType) throws -> ContrastTask {
    let configuration = try configuration(["batch=32", "micro_batch=9"] + settings).values
    let tokenizer = try SyntheticPictures.tokenizer()
    let shape = try TowersConfiguration(
      vision: .init(size: 8, patch: 4, width: 12, layers: 2, heads: 2),
      text: .init(vocabulary: tokenizer.vocabularySize, context: 16, width: 12, layers: 2, heads: 2), embed: 10,
      dropout: 0.3, mean: PictureTransform.clipMean, deviation: PictureTransform.clipDeviation)
    let tensors = TowerTensors(shape, seed: 5)
    let encoder = DualEncoder(
      .towers(shape),
      DualEncoder.Encoders(
        shape, TowerTensors(tensors.list.map { NamedTensor($0.name, $0.tensor.to(dtype)) }), device: .cpu),
      logitScale: Tensor([2.5], shape: []).to(dtype), scaleOrigin: .fixed, captionTokenizer: tokenizer, device: .cpu)
    let artifact = try PairsArtifact(SyntheticPictures.artifact(folder("pairs-\(dtype)-\(settings.count)")))
    return try ContrastTask(
      encoder: encoder, table: artifact.table,
      inputs: PicturePairs(
        artifact, transform: encoder.transform!, tokenizer: tokenizer, configuration.augmentation, seed: 1,
        device: .cpu), configuration, computeType: .float32)
  }

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
      encoder: encoder, table: pairs.table, inputs: pairs.embedded(dtype), configuration, computeType: .float32)
  }

  /// The gradients of a group's parameters after a step.
  private func gradients(_ group: ParameterGroup) -> [(name: String, gradient: [Double])] {
    group.parameters.map { ($0.name, $0.tensor.gradient!.doubles) }
  }

  /// A step in one piece: every chunk keeps its record, and the loss sees one matrix of similarities.
  private func wholeStep(_ task: ContrastTask, _ table: PairTable, _ step: TrainingStep) throws {
    let batch = try task.dealer.batch(step: step.number)
    let chunks = task.chunks(of: batch)
    let parts = chunks.enumerated().map { task.embed($1, part: $0, step) }
    let rows = [0, 1].map { side in Tensor.concatenate(parts.map { $0[side] }) }
    step.seedGenerators(part: chunks.count)
    let outcome = task.objective.addGradients(
      rows,
      [
        try SampleIds(batch.pictures, of: table.pictures.count, side: .image),
        try SampleIds(batch.captions, of: table.captions.count, side: .text),
      ], step: step.number, epoch: 0)
    rows[0].backward(outcome.gradient.image.rows)
    rows[1].backward(outcome.gradient.text.rows)
  }

  @Test(
    arguments: ContrastConfiguration.Loss.allCases.flatMap { loss in Form.allCases.map { (loss, $0) } },
    [DType.float64, .float32])
  func `chunks and tiles give the gradients of one large batch`(
    _ trained: (loss: ContrastConfiguration.Loss, form: Form), dtype: DType
  ) throws {
    let (loss, form) = trained
    let settings = ["loss=\(loss.rawValue)"] + (loss.hasBudget ? ["rho=1"] : [])
    let whole = try task(form, settings, dtype)
    let parts = try task(form, settings + ["loss_tile=7"], dtype)
    let table = form == .heads ? pairs.table : SyntheticPictures.table
    for number in 0..<2 {
      let step = TrainingStep(number: number, seed: 1)
      try wholeStep(whole, table, step)
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

  @Test func `a loss that stays at that of chance is told after a tenth of the steps`() throws {
    let task = try task(["loss=clip"], .float32)
    let (chance, learned) = (Metrics([(ContrastTask.shareOfChance, 1)]), Metrics([(ContrastTask.shareOfChance, 0.5)]))
    _ = try task.addGradients(TrainingStep(number: 0, seed: 1))
    #expect(task.warnings(chance).isEmpty)
    _ = try task.addGradients(TrainingStep(number: task.steps / 10, seed: 1))
    #expect(task.warnings(chance).map(\.kind) == [ContrastTask.shareOfChance])
    #expect(task.warnings(learned).isEmpty)
  }
}
