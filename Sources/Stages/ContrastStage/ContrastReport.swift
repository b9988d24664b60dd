import Diagnostics
import Glibc
import JSON
import Pairs
import StageDescriptions
import Statistics
import TempNet
import TemperatureSettings
import Torch
import Training

/// What a finished training tells about temperatures and samples.
struct ContrastReport {
  let task: ContrastTask
  let table: PairTable
  let inputs: any EncoderInputs
  let configuration: ContrastConfiguration
  /// At most as many training anchors are compared with their optimum, among at most as many candidates.
  private static let mostAnchors = 1024
  private static let mostCandidates = 8192

  /// Gives an encoder that was trained at many temperatures the scale of the best single one on validation.
  func setScale() throws {
    guard configuration.loss.isPersonal else { return }
    let tau = try withoutGradients { try task.bestTemperature() }
    task.encoder.logitScale.copy(from: Tensor(scalar: Float(-log(tau))).to(task.encoder.device))
    task.encoder.scaleOrigin = .validation
  }

  func summary(_ result: TrainingResult) throws -> JSON {
    let unseen = try task.dealer.unseen(before: result.selected.step)
    let scale = task.encoder.scale
    var summary: JSONObject = [
      "loss": .string(configuration.loss.rawValue), "batch": .integer(configuration.batch),
      "steps": .integer(result.steps), "selected_step": .integer(result.selected.step),
      "training_pictures": .integer(task.dealer.count),
      "never_visited": ["pictures": .integer(unseen.pictures), "captions": .integer(unseen.captions)],
      "scale": .number(scale.value), "temperature": .number(1 / scale.value),
      "scale_from": .string(scale.origin.rawValue), "validation": result.selected.metrics.json,
    ]
    if let budget = configuration.budget {
      summary["rho"] = .number(budget.rho)
      summary["entropy"] = .number(budget.targetEntropy)
      summary["effective_negatives"] = .number(exp(budget.targetEntropy))
    }
    if configuration.loss.isPersonal { summary["training_temperatures"] = try temperatures() }
    return .object(summary)
  }

  /// The temperatures of some training anchors, evenly spread, and how they follow their optimum among the training samples.
  private func temperatures() throws -> JSON {
    let pictures = table.pictures(of: .train)
    let candidates = spread(pictures, Self.mostCandidates)
    let anchors = Array(spread(candidates.indices.map { $0 }, Self.mostAnchors))
    let rows = [
      try inputs.rows(
        ofImages: candidates, task.encoder, computeType: .float32, most: Self.mostCandidates),
      try inputs.rows(
        ofTexts: candidates.map(title), task.encoder, computeType: .float32, most: Self.mostCandidates),
    ]
    return .object(
      JSONObject(
        EmbeddingSide.allCases.enumerated().map { side, name in
          (name.rawValue, temperatures(of: anchors, among: candidates, rows, side))
        }))
  }

  private func temperatures(of anchors: [Int], among candidates: [Int], _ rows: [Tensor], _ side: Int) -> JSON {
    let chosen = rows[side].selected(0, indices: Tensor(anchors).to(rows[side].device))
    let tau = learned(chosen, anchors.map { candidates[$0] }, side)
    let distribution = Distribution(of: tau)
    var result: JSONObject = [
      "mean": .number(distribution.mean), "standard_deviation": .number(distribution.standardDeviation),
      "quantiles": .object(
        JSONObject(distribution.quantiles.map { ("\($0.fraction)", JSON.number($0.value)) })),
    ]
    guard let rho = configuration.budget?.rho else { return .object(result) }
    let exact = ExactOptimum(rho: rho, bounds: configuration.bounds).temperatures(
      anchors: chosen, candidates: rows[1 - side], excluded: excluded(anchors, candidates))
    guard let exact else { return .object(result) }
    let correlation = Correlation(of: tau, and: exact.map(Float.init))
    result["optimum_mean"] = .number(Distribution(of: exact.map(Float.init)).mean)
    result["optimum_pearson"] = correlation.pearson.map(JSON.number) ?? .null
    result["optimum_spearman"] = correlation.spearman.map(JSON.number) ?? .null
    return .object(result)
  }

  /// The temperatures that training arrived at.
  private func learned(_ rows: Tensor, _ pictures: [Int], _ side: Int) -> [Float] {
    if let networks = task.objective.networks { return networks[side](rows, training: false).floats }
    guard let individual = task.objective.states?[side].individual else {
      preconditionFailure("the loss has no temperatures of samples")
    }
    let positions = side == 0 ? pictures : pictures.map(title)
    return individual.tau.selected(0, indices: Tensor(positions).to(individual.tau.device)).floats
  }

  private func title(_ picture: Int) -> Int { table.pictures[picture].captions.lowerBound }

  /// For each anchor the candidates that are the same picture or have the same title.
  private func excluded(_ anchors: [Int], _ candidates: [Int]) -> [[Int]] {
    let byPicture = Dictionary(grouping: candidates.indices) { table.pictures[candidates[$0]].group }
    let byTitle = Dictionary(grouping: candidates.indices) { table.captions[title(candidates[$0])].group }
    return anchors.map { anchor in
      let picture = candidates[anchor]
      let same = byPicture[table.pictures[picture].group]! + byTitle[table.captions[title(picture)].group]!
      return Set(same).sorted()
    }
  }

  private func spread(_ items: [Int], _ most: Int) -> [Int] {
    guard items.count > most else { return items }
    return (0..<most).map { items[$0 * items.count / most] }
  }
}
