import TemperatureSettings
import Torch

/// The temperature that minimises the robust loss of each token: what TempNet learns to predict.
///
/// The loss is convex in τ with slope `H(softmax(z/τ)) - entropy`, and the entropy H grows with τ, so the optimum is the
/// temperature of the wanted entropy or, where that lies outside, a bound.
public enum ExactTemperature {
  /// How far the entropy at an inner optimum may be from the wanted one, in nats; the operator has the same.
  static let tolerance = 1e-10

  /// The optimal temperatures of logits [N, V], float64 [N]. In float32 on the CPU they are found by an operator of our own.
  ///
  /// - Parameters:
  ///   - entropy: the entropy of the tempered distribution, `ln V - rho`, in nats.
  ///   - bounds: the least and the greatest temperature.
  public static func solve(logits: Tensor, entropy: Double, bounds: ClosedRange<Double>) -> Tensor {
    withoutGradients {
      logits.isCPUFloat32
        ? logits.temperatures(ofEntropy: entropy, in: bounds)
        : reference(logits: logits, entropy: entropy, bounds: bounds)
    }
  }

  /// The same by a search over tensors, for GPUs, for float64, and for tests of the operator.
  static func reference(logits: Tensor, entropy: Double, bounds: ClosedRange<Double>) -> Tensor {
    withoutGradients {
      let chunks = rowChunks(logits.size(0), width: logits.size(1)).map { rows in
        solve(chunk: logits[rows], entropy: entropy, bounds: bounds)
      }
      return chunks.isEmpty ? .zeros([0], dtype: .float64) : .concatenate(chunks)
    }
  }

  /// As above, for the divergence budget `rho`.
  public static func solve(logits: Tensor, rho: Double, bounds: ClosedRange<Double>) -> Tensor {
    solve(
      logits: logits, entropy: RobustBudget.targetEntropy(alternatives: logits.size(1), rho: rho), bounds: bounds)
  }

  private static func solve(chunk: Tensor, entropy: Double, bounds: ClosedRange<Double>) -> Tensor {
    let search = TemperatureSearch(bounds)
    let start = Tensor.zeros([chunk.size(0)], dtype: .float64, device: chunk.device)
    func excess(_ statistics: TemperedStatistics) -> (value: Tensor, slope: Tensor) {
      (statistics.entropy - entropy, statistics.variance)
    }
    // Most steps are taken in float32, which is several times faster; the last one or two, in float64, are exact.
    let near = search.root(chunk.to(.float32), from: start, tolerance: 1e-5) { excess($0.statistics) }
    let exact = search.root(chunk.to(.float64), from: near, tolerance: tolerance) { excess($0.statistics) }
    return search.temperatures(exact)
  }
}
