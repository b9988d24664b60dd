import LanguageEvaluation
import LanguageModels
import TempNet
import Torch

/// A frozen model's passes over the sequences of a task.
public struct TaskPasses: TaskRecordPasses {
  private let model: LanguageModel
  private let recorder: TokenRecorder
  private let batches: [TaskBatch]
  private let endOfText: Int32
  public let offsets: [Int]

  /// - Parameter endOfText: the id that closes documents.
  public init(
    _ model: LanguageModel, _ recorder: TokenRecorder, sequences: [ScoredSequence], plan: ScoringPlan, endOfText: Int32
  ) {
    self.model = model
    self.recorder = recorder
    self.endOfText = endOfText
    batches = plan.batches.map { TaskBatch($0, of: sequences) }
    offsets = batches.reduce(into: [0]) { offsets, batch in
      offsets.append(offsets.last! + batch.sequences.reduce(0) { $0 + $1.predictions.count })
    }
  }

  public func records(ofPass index: Int) throws -> TokenRecords {
    try withoutGradients {
      let batch = batches[index]
      let predictions = batch.sequences.flatMap(\.predictions)
      let hidden = batch.hiddenStates(model, endOfText: endOfText)
      let places = Tensor(predictions.map(\.node)).to(hidden.device)
      return try recorder.finite(
        hidden.selected(0, indices: places), labels: Tensor(predictions.map { Int64($0.target) }).to(hidden.device))
    }
  }

  public func sequences(ofPass index: Int) -> [Int] {
    batches[index].sequences.flatMap { sequence, predictions in predictions.map { _ in sequence } }
  }
}
