import Glibc
import Torch

extension TemperatureProfile {
  /// The temperature of each row, float64 [N], at which its tempered distribution has the wanted entropy, or a bound:
  /// `ExactTemperature` to within the error of interpolation, without logits.
  public func optimum(entropy: Double, bounds: ClosedRange<Double>) -> Tensor {
    optimum(entropies: .full([value.size(0)], entropy, dtype: .float64, device: value.device), bounds: bounds)
  }

  /// - Parameter entropies: one for each row, float64 [N].
  public func optimum(entropies: Tensor, bounds: ClosedRange<Double>) -> Tensor {
    withoutGradients {
      // Bisection in ln τ: the entropy rises with τ, and forty halvings leave nothing of the widest range.
      var low = value.selected(1, at: 0).to(.float64).filled(with: log(bounds.lowerBound))
      var high = low.filled(with: log(bounds.upperBound))
      for _ in 0..<40 {
        let middle = (low + high) * 0.5
        let isHigh = self(at: middle.exp()).entropy.greater(entropies)
        high = isHigh.choose(middle, high)
        low = isHigh.choose(low, middle)
      }
      func excess(at tau: Double) -> Tensor { self(at: low.filled(with: tau)).entropy - entropies }
      return ((low + high) * 0.5).exp()
        .masked(excess(at: bounds.lowerBound).less(0).not(), with: bounds.lowerBound)
        .masked(excess(at: bounds.upperBound).greater(0).not(), with: bounds.upperBound)
    }
  }
}

extension SingleTemperature {
  /// The best single temperature of profiled tokens for the mean robust loss with this entropy.
  public static func robust(profile: TemperatureProfile, entropy: Double, bounds: ClosedRange<Double>) -> Double {
    let mean = profile.mean
    return withoutGradients {
      minimiser(in: bounds) { tau in mean(at: tau).entropy.item - entropy }
    }
  }

  /// The best single temperature of profiled tokens for the mean negative log likelihood of their labels.
  ///
  /// - Parameter targets: the logit of each token's label minus its row's maximum, [N].
  public static func crossEntropy(
    profile: TemperatureProfile, targets: Tensor, bounds: ClosedRange<Double>
  ) -> Double {
    let mean = profile.mean
    let target = targets.sum(0, dtype: .float64).item / Double(targets.size(0))
    return withoutGradients {
      // dCE/dτ · τ² = x_y - E[x], and E[x] = G - τ H.
      minimiser(in: bounds) { tau in
        let lookup = mean(at: tau)
        return target - lookup.value.item + tau * lookup.entropy.item
      }
    }
  }
}
