import TemperatureSettings
import Torch

/// Features of images or texts in memory: each compared with the others of its split, its own left out.
public struct AnchorRows: FitRows {
  public let kind: FeatureKind
  /// Embeddings of unit length, [N, d].
  let embeddings: Tensor
  public let target: Tensor
  public let logAlternatives: Tensor
  public let profile: TemperatureProfile
  /// As measured when the logits were there.
  private let measured: InterpolationError

  /// - Throws: `Failure(.badData)` where a column is missing.
  public init(_ rows: FeatureRows, _ description: AnchorDescription) throws {
    kind = description.kind
    measured = description.interpolationError
    embeddings = rows.input
    target = rows.labelLogit - rows.maximum
    logAlternatives = try rows.logAlternatives()
    profile = rows.profile
  }

  private init(_ all: AnchorRows, _ indices: Tensor) {
    (kind, measured) = (all.kind, all.measured)
    embeddings = all.embeddings.selected(0, indices: indices)
    target = all.target.selected(0, indices: indices)
    logAlternatives = all.logAlternatives.selected(0, indices: indices)
    profile = all.profile.rows(indices)
  }

  public var width: Int { embeddings.size(1) }

  public func rows(_ indices: [Int]) -> AnchorRows { AnchorRows(self, Tensor(indices).to(embeddings.device)) }

  /// The label is none of the logits, so that the cross-entropy has one term more:
  /// `CE = log(exp(x_y/τ) + Σ exp(x/τ)) - x_y/τ = softplus((G(τ) - x_y) / τ)`.
  public func losses(at tau: Tensor, rho: Double) -> RowLosses {
    let losses = profiledLosses(at: tau, rho: rho)
    let excess = losses.crossEntropy
    return RowLosses(
      robust: losses.robust, crossEntropy: excess.clamped(0, nil) + ((-excess.abs()).exp() + 1).log())
  }

  public func interpolationError(at tau: Tensor) -> InterpolationError { measured }
}
