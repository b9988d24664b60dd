import Glibc
import Torch

/// The most uncertain distribution near the model's own.
///
/// Of all distributions q with `KL(q ‖ p) <= radius` around `p = softmax(z)`, the one of greatest entropy is
/// `softmax(z/τ)` with `τ >= 1` and, unless even the uniform distribution lies inside, a divergence of exactly the radius.
/// (The Lagrangian of entropy under the constraint is stationary where ln q is linear in ln p.) TempNet's budget bounds the
/// divergence from the uniform distribution; this one bounds it from the model.
enum DivergenceBall {
  /// Of the divergence, in nats.
  static let tolerance = 1e-9

  /// The temperatures of logits [N, V], float64 [N], from 1 to `limit`.
  ///
  /// - Parameters:
  ///   - radius: in nats, above 0.
  ///   - limit: the temperature where the radius reaches beyond it.
  static func temperatures(logits: Tensor, radius: Double, limit: Double) -> Tensor {
    withoutGradients {
      let search = TemperatureSearch(1...limit)
      let chunks = rowChunks(logits.size(0), width: logits.size(1)).map { range in
        let rows = logits[range]
        let own = TemperedStatistics(logits: rows).logPartition
        // The slope is 0 at temperature 1, so the search begins above.
        let start = Tensor.ones([rows.size(0)], dtype: .float64, device: rows.device) * 0.5
        let found = search.root(rows, from: start, tolerance: tolerance) { position in
          let (statistics, tau) = (position.statistics, position.temperature)
          // ln q - ln p = x/τ - log Σ exp(x/τ) - x + log Σ exp x, and its mean under q.
          let divergence =
            statistics.mean * (1 - tau) - statistics.logPartition + own.selected(0, indices: position.rows)
          return (divergence - radius, statistics.variance * (tau - 1))
        }
        return search.temperatures(found)
      }
      return chunks.isEmpty ? .zeros([0], dtype: .float64) : .concatenate(chunks)
    }
  }

  /// The same from profiles, whose grid covers 1 and whose end is the limit.
  static func temperatures(profile: TemperatureProfile, radius: Double) -> Tensor {
    withoutGradients {
      let own = profile(at: 1).value
      func divergence(at tau: Tensor) -> Tensor {
        let found = profile(at: tau)
        let partition = found.value / tau
        return (partition - found.entropy) * (1 - tau) - partition + own
      }
      // Bisection in ln τ: the divergence rises with τ above 1.
      let end = profile.grid.bounds.upperBound
      var low = own.filled(with: 0)
      var high = own.filled(with: log(end))
      for _ in 0..<32 {
        let middle = (low + high) * 0.5
        let isBeyond = divergence(at: middle.exp()).greater(radius)
        high = isBeyond.choose(middle, high)
        low = isBeyond.choose(low, middle)
      }
      let isOutside = divergence(at: own.filled(with: end)).less(radius)
      return ((low + high) * 0.5).exp().masked(isOutside, with: end)
    }
  }
}
