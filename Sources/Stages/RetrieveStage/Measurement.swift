import ImageTextModels
import Pairs
import RetrievalEvaluation
import Torch

/// One model on one split.
struct Measurement {
  let set: RetrievalSet
  let embeddings: EmbeddingsArtifact
  private let tables: [RetrievalDirection: ScoreTable]

  init(_ embeddings: EmbeddingsArtifact, _ set: RetrievalSet) {
    let images = embeddings.image.selected(0, indices: Tensor(set.pictures.positions))
    let texts = embeddings.text.selected(0, indices: Tensor(set.captions.positions))
    tables = [
      .imageToText: ScoreTable(queries: images, candidates: texts, first: set.captions.first),
      .textToImage: ScoreTable(queries: texts, candidates: images, first: set.pictures.first),
    ]
    (self.embeddings, self.set) = (embeddings, set)
  }

  func scores(_ direction: RetrievalDirection) -> ScoreTable { tables[direction]! }

  /// The temperature of each direction with the greatest likelihood, a multiple of the model's own.
  func bestTemperatures(_ bounds: ClosedRange<Double>) -> [RetrievalDirection: Double] {
    Dictionary(
      uniqueKeysWithValues: RetrievalDirection.allCases.map { ($0, alternatives($0).bestTemperature(in: bounds)) })
  }

  /// - Parameters:
  ///   - bestTemperatures: those that validation chose; empty without validation pairs.
  ///   - tempnets: those of this model.
  func result(
    bestTemperatures: [RetrievalDirection: Double], tempnets: [FittedTempNets.Member]
  ) -> RetrievalRun.Result {
    RetrievalRun.Result(
      metrics: RetrievalMetrics(
        imageToText: DirectionMetrics(scores(.imageToText), own: set.pictures.own),
        textToImage: DirectionMetrics(scores(.textToImage), own: set.captions.own)), zeroShot: zeroShot,
      probabilities: RetrievalDirection.allCases.flatMap { direction in
        let single =
          [probabilities(direction, "model", at: 1)]
          + (bestTemperatures[direction].map { [probabilities(direction, "best", at: $0)] } ?? [])
        return single
          + tempnets.filter { $0.direction == direction }.map { tempnet in
            probabilities(direction, tempnet.name, at: temperatures(tempnet))
          }
      })
  }

  /// Of each query, in units of similarity.
  func temperatures(_ tempnet: FittedTempNets.Member) -> [Float] {
    let rows =
      tempnet.direction == .imageToText
      ? embeddings.image.selected(0, indices: Tensor(set.pictures.positions))
      : embeddings.text.selected(0, indices: Tensor(set.captions.positions))
    return withoutGradients { tempnet.network(rows).floats }
  }

  /// At one multiple of the model's own temperature.
  private func probabilities(
    _ direction: RetrievalDirection, _ policy: String, at temperature: Double
  ) -> RetrievalRun.Probabilities {
    RetrievalRun.Probabilities(
      direction: direction, policy: policy, meanTemperature: temperature / embeddings.logitScale.value,
      likelihood: alternatives(direction).likelihood { _ in temperature })
  }

  /// At a temperature for each query, in units of similarity.
  private func probabilities(
    _ direction: RetrievalDirection, _ policy: String, at temperatures: [Float]
  ) -> RetrievalRun.Probabilities {
    let scale = embeddings.logitScale.value
    return RetrievalRun.Probabilities(
      direction: direction, policy: policy,
      meanTemperature: temperatures.reduce(0) { $0 + Double($1) } / Double(temperatures.count),
      likelihood: alternatives(direction).likelihood { Double(temperatures[$0]) * scale })
  }

  private func alternatives(_ direction: RetrievalDirection) -> Alternatives {
    let (asking, searched) = set.sides(direction)
    return Alternatives(
      scores(direction), candidates: searched, own: asking.own, scale: embeddings.logitScale.value)
  }

  /// Of the pictures with a class; nil without classes or such pictures.
  private var zeroShot: ZeroShot? {
    guard let prompts = embeddings.description.prompts, let sentences = embeddings.classText else { return nil }
    let labelled = set.pictures.positions.compactMap { position in
      embeddings.table.pictures[position].label.map { (position: position, label: $0) }
    }
    guard !labelled.isEmpty else { return nil }
    return ZeroShot(
      images: embeddings.image.selected(0, indices: Tensor(labelled.map(\.position))),
      classes: ZeroShot.embeddings(ofPrompts: sentences, templates: prompts.templates.count),
      labels: labelled.map(\.label))
  }
}
