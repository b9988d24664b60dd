import StageDescriptions
import TempNet
import Torch

extension FitConfiguration.Objective {
  /// Whether the profiles have to cover temperature 1.
  var readsTemperatureOne: Bool { self == .autoDeco }

  /// Whether the rows need the mean of their logits.
  var readsMeanLogits: Bool { self == .selectiveSmoothing }

  /// The validation metric that decides which weights are kept. A step on ``autoDecoByTempered``, whose factor is a constant,
  /// lowers a weighted cross-entropy and not the product, so that the product cannot decide.
  var criterion: String { self == .autoDecoByTempered ? "cross_entropy" : "loss" }

  /// The losses of rows, [N], whose mean is minimised.
  ///
  /// - Parameters:
  ///   - losses: of the rows at the temperatures `tau`, [N].
  ///   - isTraining: whether rows are left out at random, where the objective does so; validation counts all.
  func values(_ losses: RowLosses, of rows: some FitRows, at tau: Tensor, isTraining: Bool) -> Tensor {
    func kept() -> Tensor { isTraining ? LabelledLosses.keepingSomeHits(rows.hit) : rows.hit.filled(with: 1) }
    return switch self {
    case .robust: losses.robust
    case .crossEntropy: losses.crossEntropy
    case .autoDeco:
      LabelledLosses.autoDeco(crossEntropy: losses.crossEntropy, own: rows.ownCrossEntropy, kept: kept())
    case .autoDecoByTempered: LabelledLosses.autoDecoByTempered(crossEntropy: losses.crossEntropy, kept: kept())
    case .selectiveSmoothing:
      LabelledLosses.selectiveSmoothing(
        crossEntropy: losses.crossEntropy, uniform: rows.uniformCrossEntropy(at: tau)!, hit: rows.hit)
    }
  }
}
