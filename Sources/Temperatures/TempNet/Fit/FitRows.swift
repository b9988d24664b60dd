import Glibc
import Torch

/// Rows that a TempNet can be fitted to, with a profile, the value of a label and an input of the network.
public protocol FitRows {
  /// The kind of rows.
  var kind: FeatureKind { get }
  var profile: TemperatureProfile { get }
  /// The logit of the label minus the largest logit, [N].
  var target: Tensor { get }
  /// ln V of each row's number of logits, float64 [N].
  var logAlternatives: Tensor { get }

  /// The rows that the indices name, in their order.
  func rows(_ indices: [Int]) -> Self
  /// The losses at temperatures, [N]; differentiable in them.
  ///
  /// - Parameter rho: the robust loss's divergence budget, in nats.
  func losses(at tau: Tensor, rho: Double) -> RowLosses
  /// Whether the rows have the mean of their logits, which cross-entropies against the uniform distribution need.
  var hasMeanLogits: Bool { get }
  /// `-mean_j log softmax(z/τ)_j`, [N], differentiable in the temperatures; nil for rows without mean logits.
  func uniformCrossEntropy(at tau: Tensor) -> Tensor?
  /// How far the profiles lie from what the logits give at these temperatures, float64 [N].
  func interpolationError(at tau: Tensor) -> InterpolationError
}

/// Losses of rows at their temperatures, [N].
public struct RowLosses {
  public let robust: Tensor
  public let crossEntropy: Tensor

  public init(robust: Tensor, crossEntropy: Tensor) { (self.robust, self.crossEntropy) = (robust, crossEntropy) }
}

extension FitRows {
  public var count: Int { profile.value.size(0) }

  public var hasMeanLogits: Bool { false }
  public func uniformCrossEntropy(at tau: Tensor) -> Tensor? { nil }

  /// The entropies that the robust loss with this budget asks of the rows.
  public func entropies(rho: Double) -> TargetEntropies { TargetEntropies(logAlternatives - rho) }

  /// 1 where the label has the largest logit, 0 elsewhere, float64 [N].
  public var hit: Tensor { target.equal(0).to(.float64) }

  /// The cross-entropy at temperature 1, which the profiles have to cover, float64 [N].
  public var ownCrossEntropy: Tensor {
    withoutGradients { profile(at: .ones([count], dtype: .float64, device: target.device)).value - target }
  }

  /// The geometric mean of the rows' numbers of logits; the number itself where all rows have equally many.
  public var typicalAlternatives: Int { Int(exp(entropies(rho: 0).mean).rounded()) }

  /// The least number of logits of a row.
  public var leastAlternatives: Int { Int(exp(-(-logAlternatives).maximum(0).item).rounded()) }

  /// The robust losses by the profiles, float64 [N]: `ℓ = G(τ) - x_y - H₀ τ`, with x counted from the maximum.
  public func robustLosses(at tau: Tensor, rho: Double) -> Tensor {
    profile(at: tau).value - target - tau.to(.float64) * (logAlternatives - rho)
  }

  /// As ``losses(at:rho:)``, by the profiles, of rows whose label is one of the logits: `CE = (G(τ) - x_y) / τ`.
  public func profiledLosses(at tau: Tensor, rho: Double) -> RowLosses {
    let value = profile(at: tau).value
    let tau64 = tau.to(.float64)
    return RowLosses(
      robust: value - target - tau64 * (logAlternatives - rho), crossEntropy: (value - target) / tau64)
  }
}

/// The entropies that a robust loss asks the tempered distributions of rows to have: `ln V - rho`, V a row's own number of
/// logits.
public struct TargetEntropies: Sendable {
  /// float64 [N]
  public let each: Tensor
  /// Exactly the common entropy where all are equal.
  public let mean: Double

  init(_ each: Tensor) {
    let first = each.narrowed(0, 0..<1)
    self.each = each
    mean = first.item + ((each - first).sum() / Double(each.count)).item
  }
}
