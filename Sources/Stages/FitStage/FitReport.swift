import Glibc
import JSON
import Statistics
import TempNet
import TemperatureSettings
import Torch
import Training

/// How good a fit is on the validation split: against the best single temperature, and against every row's optimum.
struct FitReport<Rows: FitRows> {
  let rho: Double
  let bounds: ClosedRange<Double>
  let validation: Rows
  /// The mean entropy that the loss asks of the training rows.
  let entropy: Double
  /// Predicted and exact temperatures of the validation's rows, [N].
  let predicted: Tensor
  let exact: Tensor

  func summary(_ result: TrainingResult) -> JSON {
    let tau = predicted.to(.float64)
    let distance = tau - exact
    let single = SingleTemperature.robust(
      profile: validation.profile, entropy: validation.entropies(rho: rho).mean, bounds: bounds)
    let losses = (single: robustLoss(exact.filled(with: single)), fitted: robustLoss(tau), exact: robustLoss(exact))
    return [
      "rho": .number(rho), "entropy": .number(entropy), "steps": .integer(result.steps),
      "selected_step": .integer(result.selected.step),
      FitSummary.validation: [
        validation.kind.rawValue: .integer(validation.count), "robust_loss": .number(losses.fitted),
        "robust_loss_best_single": .number(losses.single), "robust_loss_exact": .number(losses.exact),
        FitSummary.bestSingleTemperature: .number(single), "gap_closed": .number(closed(losses)),
        "mean_temperature": .number(tau.mean().item),
        "distance_from_exact": [
          "mean": .number(distance.abs().mean().item), "root_mean_square": .number(sqrt(distance.square().mean().item)),
          "spearman": .number(orNull: Correlation(of: tau.floats, and: exact.floats).spearman),
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
  private func robustLoss(_ tau: Tensor) -> Double { validation.robustLosses(at: tau, rho: rho).mean().item }

  /// At the predicted temperatures of evenly spread rows.
  private func interpolationError() -> JSON {
    let sample = 512
    let indices = Array(stride(from: 0, to: validation.count, by: max(1, validation.count / sample)).prefix(sample))
    let tau = predicted.selected(0, indices: Tensor(indices).to(predicted.device)).to(.float64)
    let error = validation.rows(indices).interpolationError(at: tau)
    return [
      validation.kind.rawValue: .integer(error.rows), "loss": .number(error.loss), "entropy": .number(error.entropy),
    ]
  }
}
