import Diagnostics
import Glibc
import ImageTextModels
import Pairs
import RetrievalEvaluation
import StageDescriptions
import Statistics
import TempNet
import TemperatureSettings
import Torch
import Training

/// The validation split, on which encoders search for pictures and captions.
struct ContrastValidation {
  /// One less mean recall: the lowest wins.
  static let criterion = "error"

  private let set: RetrievalSet
  private let inputs: any EncoderInputs
  private let configuration: ContrastConfiguration
  private let computeType: DType
  private static let chunk = 4096

  /// - Throws: `Failure(.badData)` for a table without validation pairs.
  init(
    _ table: PairTable, _ inputs: any EncoderInputs, _ configuration: ContrastConfiguration, computeType: DType
  ) throws {
    self.inputs = inputs
    self.configuration = configuration
    self.computeType = computeType
    set = RetrievalSet(
      table, split: .validation, captions: configuration.validationCaptions == .titles ? .titles : .all,
      isMerged: false)
    guard set.pictures.count > 1 else {
      throw Failure(
        .badData,
        "the pairs have \(set.pictures.count) validation pictures, but the best step and the scale are chosen on them")
    }
  }

  /// The rows of both sides, images first.
  private func rows(_ encoder: DualEncoder, _ checkpoint: () throws -> Void) throws -> [Tensor] {
    [
      try inputs.rows(
        ofImages: set.pictures.positions, encoder, computeType: computeType, most: Self.chunk, checkpoint: checkpoint),
      try inputs.rows(
        ofTexts: set.captions.positions, encoder, computeType: computeType, most: Self.chunk, checkpoint: checkpoint),
    ]
  }

  func metrics(
    _ encoder: DualEncoder, _ networks: [JointEmbeddingNetwork]?, _ checkpoint: () throws -> Void
  ) throws -> Metrics {
    let rows = try rows(encoder, checkpoint)
    let tables = scores(rows)
    let found = RetrievalMetrics(
      imageToText: DirectionMetrics(tables[0], own: set.pictures.own),
      textToImage: DirectionMetrics(tables[1], own: set.captions.own))
    var metrics = Metrics([
      (Self.criterion, 1 - found.meanRecall), ("mean_recall", found.meanRecall),
      ("image_to_text", found.imageToText.meanRecall), ("text_to_image", found.textToImage.meanRecall),
    ])
    try checkpoint()
    for (side, name) in EmbeddingSide.allCases.enumerated() {
      guard let network = networks?[side] else { continue }
      let tau = withoutGradients { network(rows[side], training: false) }
      metrics.append("temperature_\(name.rawValue)", tau.to(.float64).mean().item)
      guard let exact = optimum(rows, side) else { continue }
      metrics.append(
        "optimum_spearman_\(name.rawValue)", Correlation(of: tau.floats, and: exact.map(Float.init)).spearman ?? 0)
    }
    return metrics
  }

  private func scores(_ rows: [Tensor]) -> [ScoreTable] {
    let (image, text) = (rows[0].to(.cpu), rows[1].to(.cpu))
    return [
      ScoreTable(queries: image, candidates: text, first: set.captions.first),
      ScoreTable(queries: text, candidates: image, first: set.pictures.first),
    ]
  }

  /// The exact temperatures of a side's anchors for the budget at hand; nil without a budget, and with too few candidates.
  private func optimum(_ rows: [Tensor], _ side: Int) -> [Double]? {
    guard let rho = configuration.budget?.rho else { return nil }
    let own = side == 0 ? set.pictures.own : set.captions.own
    return ExactOptimum(rho: rho, bounds: configuration.bounds).temperatures(
      anchors: rows[side], candidates: rows[1 - side], excluded: own)
  }

  /// The one temperature at which both directions are likeliest.
  func bestTemperature(_ encoder: DualEncoder) throws -> Double {
    let tables = scores(try rows(encoder, {}))
    return Alternatives.bestTemperature(
      of: [
        Alternatives(tables[0], candidates: set.captions, own: set.pictures.own, scale: 1),
        Alternatives(tables[1], candidates: set.pictures, own: set.captions.own, scale: 1),
      ], in: 1e-3...10)
  }
}

/// Exact temperatures of anchors among given candidates.
struct ExactOptimum {
  let rho: Double
  let bounds: ClosedRange<Double>
  /// With less entropy than this to ask for the optimum says nothing.
  private static let leastEntropy = 0.1

  /// - Parameters:
  ///   - anchors: unit rows, [A, E].
  ///   - candidates: unit rows, [C, E].
  ///   - excluded: for each anchor the candidates that do not count.
  /// - Returns: nil where an anchor has too few candidates for the budget.
  func temperatures(anchors: Tensor, candidates: Tensor, excluded: [[Int]]) -> [Double]? {
    withoutGradients {
      let total = candidates.size(0)
      var result = [Double](repeating: 0, count: excluded.count)
      // Anchors with equally many candidates have one target.
      let byCount = Dictionary(grouping: excluded.indices) { excluded[$0].count }
      for count in byCount.keys.sorted() {
        let members = byCount[count]!
        let alternatives = total - count
        let entropy = RobustBudget.targetEntropy(alternatives: max(1, alternatives), rho: rho)
        guard entropy > Self.leastEntropy else { return nil }
        let rows = anchors.selected(0, indices: Tensor(members).to(anchors.device))
        let similarity = rows.matmul(candidates.transposed()).to(.float32)
        if count > 0 {
          let row = Tensor(members.indices.flatMap { repeatElement($0, count: count) })
          let column = Tensor(members.flatMap { excluded[$0] })
          // Far enough that its weight is 0 at every temperature, near enough to stay a number.
          similarity.put(.full([row.count], -1e4), at: [row, column].map { $0.to(similarity.device) })
        }
        let tau = ExactTemperature.solve(logits: similarity, entropy: entropy, bounds: bounds).doubles
        for (index, member) in members.enumerated() { result[member] = tau[index] }
      }
      return result
    }
  }
}
