import Glibc
import JSON
import Statistics
import TempNet
import TemperatureSettings
import Torch
import Training

/// How good a fit is on the validation split: against the best single temperature, and against every token's optimum.
struct FitReport {
  let settings: TempNetSettings
  let validation: FeatureSplit
  let head: Head
  /// Predicted and exact temperatures of the validation's tokens, [N].
  let predicted: Tensor
  let exact: Tensor

  func summary(_ result: TrainingResult) -> JSON {
    let tau = predicted.to(.float64)
    let distance = tau - exact
    let single = SingleTemperature.robust(
      profile: validation.profile, entropy: settings.entropy, bounds: settings.bounds)
    let losses = (single: robustLoss(exact * 0 + single), fitted: robustLoss(tau), exact: robustLoss(exact))
    return [
      "rho": .number(settings.rho), "entropy": .number(settings.entropy), "steps": .integer(result.steps),
      "selected_step": .integer(result.selected.step),
      FitSummary.validation: [
        "tokens": .integer(validation.count), "robust_loss": .number(losses.fitted),
        "robust_loss_best_single": .number(losses.single), "robust_loss_exact": .number(losses.exact),
        FitSummary.bestSingleTemperature: .number(single), "gap_closed": .number(closed(losses)),
        "mean_temperature": .number(tau.mean().item),
        "distance_from_exact": [
          "mean": .number(distance.abs().mean().item), "root_mean_square": .number(sqrt(distance.square().mean().item)),
          "spearman": Correlation(of: tau.floats, and: exact.floats).spearman.map(JSON.number) ?? .null,
        ],
      ],
      "interpolation_error": interpolationError(),
    ]
  }

  private func closed(_ losses: (single: Double, fitted: Double, exact: Double)) -> Double {
    let gap = losses.single - losses.exact
    return gap > 0 ? (losses.single - losses.fitted) / gap : 1
  }

  /// The mean robust loss at given temperatures, float64 [N].
  private func robustLoss(_ tau: Tensor) -> Double {
    (validation.profile(at: tau).value - validation.target - tau * settings.entropy).mean().item
  }

  /// The largest differences between interpolated and true values, at the predicted temperatures of evenly spread tokens.
  private func interpolationError() -> JSON {
    let sample = 512
    let indices = Array(stride(from: 0, to: validation.count, by: max(1, validation.count / sample)).prefix(sample))
    let batch = validation.rows(indices)
    let tau = predicted.selected(0, indices: Tensor(indices).to(predicted.device)).to(.float64)
    let lookup = batch.profile(at: tau)
    var (loss, entropy) = (0.0, 0.0)
    // Few tokens at a time: with a large vocabulary the logits of all would be the largest thing in memory.
    for first in stride(from: 0, to: indices.count, by: 64) {
      let rows = first..<min(first + 64, indices.count)
      let direct = TemperedStatistics(logits: head(batch.hidden[rows]), tau: tau[rows])
      loss = max(loss, (lookup.value[rows] - tau[rows] * direct.logPartition).abs().maximum(0).item)
      entropy = max(entropy, (lookup.entropy[rows] - direct.entropy).abs().maximum(0).item)
    }
    return ["tokens": .integer(indices.count), "loss": .number(loss), "entropy": .number(entropy)]
  }
}
