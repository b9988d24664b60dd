import TemperatureSettings
import Torch

/// Functions of the temperature from which the losses of tokens follow, tabulated on a grid. With x the logits minus
/// their maximum:
///
///     value     G(τ) = τ · log Σ exp(x/τ)
///     entropy   H(τ) of softmax(x/τ), which is dG/dτ
///     variance  of x/τ under softmax(x/τ), which is dH/d ln τ
///
/// so that the loss with label y is `G(τ) - x_y - (ln V - ρ) τ` and its slope `H(τ) - (ln V - ρ)`. A fit on profiles
/// never touches the vocabulary.
public struct TemperatureProfile: Sendable {
  public let grid: TemperatureGrid
  /// [N, M], for N tokens and M nodes.
  public let value: Tensor
  /// [N, M], in nats.
  public let entropy: Tensor
  /// [N, M].
  public let variance: Tensor

  public init(grid: TemperatureGrid, value: Tensor, entropy: Tensor, variance: Tensor) {
    precondition(
      value.rank == 2 && value.size(1) == grid.count && entropy.shape == value.shape && variance.shape == value.shape)
    self.grid = grid
    self.value = value
    self.entropy = entropy
    self.variance = variance
  }

  /// The profiles of the tokens that an integer tensor of rank 1 names.
  public func rows(_ indices: Tensor) -> TemperatureProfile {
    TemperatureProfile(
      grid: grid, value: value.selected(0, indices: indices), entropy: entropy.selected(0, indices: indices),
      variance: variance.selected(0, indices: indices))
  }

  /// The mean over all tokens, a profile of one row in float64. Interpolation is linear in the tables, so a value read
  /// from it is the mean of the values read from the tokens' profiles.
  public var mean: TemperatureProfile {
    func mean(_ table: Tensor) -> Tensor { table.sum(0, keeping: true, dtype: .float64) / Double(table.size(0)) }
    return TemperatureProfile(grid: grid, value: mean(value), entropy: mean(entropy), variance: mean(variance))
  }
}
