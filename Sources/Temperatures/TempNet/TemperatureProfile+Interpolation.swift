import Torch

extension TemperatureProfile {
  /// Values and entropies at one temperature per token.
  public struct Lookup {
    /// G(τ), float64 [N]; its gradient in the temperatures is `entropy`.
    public let value: Tensor
    /// H(τ) in nats, float64 [N].
    public let entropy: Tensor
  }

  /// Looks every token's profile up at its temperature [N], which the grid must cover.
  ///
  /// Between nodes G is the polynomial of degree five in ln τ that has the tabulated value, slope `τ H` and curvature
  /// `τ (H + variance)` at both ends. Loss and gradient come from this one interpolant, so that the optimiser descends the
  /// loss it sees. From the same tables a cubic for G and another for H are thirty times less exact (at eight nodes per
  /// octave, largest error of H on peaked rows: 3e-5 nats against 8e-4).
  public func callAsFunction(at tau: Tensor) -> Lookup {
    let position = (tau.to(.float64).log() - grid.start) / grid.step
    // A temperature that is NaN, as after diverged training, also gets a cell; its value is NaN.
    let cell = position.detached().replacingNaN(by: 0).clamped(0, Double(grid.count - 2)).to(.int64).to(.float64)
    let t = position - cell
    let c = coefficients(of: cell)
    let value = (0..<5).reversed().reduce(c[5]) { $0 * t + c[$1] }
    let slope = (1..<5).reversed().reduce(c[5] * 5) { $0 * t + c[$1] * Double($1) }
    return Lookup(value: value, entropy: slope / (tau.to(.float64) * grid.step))
  }

  /// Looks every token's profile up at one temperature.
  public func callAsFunction(at tau: Double) -> Lookup {
    self(at: .full([value.size(0)], tau, dtype: .float64, device: value.device))
  }

  /// Coefficients of the powers of the position within each token's cell (whole numbers, float64 [N]): six of float64 [N].
  private func coefficients(of cell: Tensor) -> [Tensor] {
    let nodes = Tensor.stack([cell, cell + 1], dimension: 1)
    let indices = nodes.to(.int64)
    func ends(_ table: Tensor) -> Tensor { table.gathered(1, indices).to(.float64) }
    let tau = (nodes * grid.step + grid.start).exp()
    let (g, h, variance) = (ends(value), ends(entropy), ends(variance))
    let slope = tau * h * grid.step
    let curvature = tau * (h + variance) * (grid.step * grid.step)
    func at(_ end: Int, _ values: Tensor) -> Tensor { values.selected(1, at: end) }

    let rise = at(1, g) - at(0, g)
    let (s0, s1, k0, k1) = (at(0, slope), at(1, slope), at(0, curvature), at(1, curvature))
    return [
      at(0, g), s0, k0 * 0.5,
      rise * 10 - s0 * 6 - s1 * 4 - k0 * 1.5 + k1 * 0.5,
      rise * -15 + s0 * 8 + s1 * 7 + k0 * 1.5 - k1,
      rise * 6 - s0 * 3 - s1 * 3 - k0 * 0.5 + k1 * 0.5,
    ]
  }
}
