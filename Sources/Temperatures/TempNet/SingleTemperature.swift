import Glibc
import Torch

/// The best temperature that is the same for every token: the baseline of every per-token policy.
public enum SingleTemperature {
  /// The minimiser, within bounds, of a loss whose slope in the temperature changes sign at most once, from below zero to
  /// above: the mean robust loss (convex in τ) and the mean cross-entropy (convex in 1/τ) are such.
  ///
  /// Chandrupatla's root finder (1997) in ln τ: inverse quadratic interpolation where it is safe, otherwise bisection; about
  /// ten evaluations, each of which may be a pass over a data set.
  ///
  /// - Parameters:
  ///   - tolerance: the relative error of the result.
  ///   - slope: the slope of the mean loss at a temperature; only its sign and rough size matter.
  public static func minimiser(
    in bounds: ClosedRange<Double>, tolerance: Double = 1e-9, slope: (Double) throws -> Double
  ) rethrows -> Double {
    func f(_ x: Double) throws -> Double { try slope(exp(x)) }
    var (b, a) = (log(bounds.lowerBound), log(bounds.upperBound))
    var (fb, fa) = (try f(b), try f(a))
    if fb >= 0 { return bounds.lowerBound }
    if fa <= 0 { return bounds.upperBound }
    var fraction = 0.5
    while true {
      let x = a + fraction * (b - a)
      let fx = try f(x)
      let (c, fc): (Double, Double)
      if (fx > 0) == (fa > 0) {
        (c, fc) = (a, fa)
      } else {
        (c, fc) = (b, fb)
        (b, fb) = (a, fa)
      }
      (a, fa) = (x, fx)
      let width = abs(b - a)
      if fx == 0 || width <= 2 * tolerance { return exp(abs(fa) < abs(fb) ? a : b) }
      fraction = min(max(step(a, fa, b, fb, c, fc), tolerance / width), 1 - tolerance / width)
    }
  }

  /// How far to go from `a` towards `b`, as a fraction: inverse quadratic interpolation if the three points lie on a
  /// curve that is monotone between a and b.
  private static func step(
    _ a: Double, _ fa: Double, _ b: Double, _ fb: Double, _ c: Double, _ fc: Double
  ) -> Double {
    let xi = (a - b) / (c - b)
    let phi = (fa - fb) / (fc - fb)
    guard phi * phi < xi, (1 - phi) * (1 - phi) < 1 - xi else { return 0.5 }
    return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
  }

  /// The best temperature of logits [N, V] for the mean robust loss with entropy `ln V - rho`.
  public static func robust(logits: Tensor, entropy: Double, bounds: ClosedRange<Double>) -> Double {
    minimiser(in: bounds) { tau in
      sum(over: logits) { TemperedStatistics(logits: $0, tau: constant(tau, like: $0)).entropy - entropy }
    }
  }

  /// The best temperature of logits [N, V] for the mean negative log likelihood of labels, int64 [N].
  public static func crossEntropy(logits: Tensor, labels: Tensor, bounds: ClosedRange<Double>) -> Double {
    let used = labels.equal(Double(RobustLoss.ignoredLabel)).not().nonzero().squeezed(1)
    let logits = logits.selected(0, indices: used)
    let targets = logits.gathered(1, labels.selected(0, indices: used).unsqueezed(1)).squeezed(1)
    let targetsFromMaximum = targets - logits.maximum(1)
    let total = targetsFromMaximum.sum(0, dtype: .float64).item
    return minimiser(in: bounds) { tau in
      // dCE/dτ · τ = x_y/τ - E[x/τ]
      total / tau - sum(over: logits) { TemperedStatistics(logits: $0, tau: constant(tau, like: $0)).mean }
    }
  }

  private static func constant(_ tau: Double, like logits: Tensor) -> Tensor {
    .full([logits.size(0)], tau, dtype: logits.dtype, device: logits.device)
  }

  /// The sum of a per-row quantity, chunk by chunk.
  private static func sum(over logits: Tensor, _ quantity: (Tensor) -> Tensor) -> Double {
    withoutGradients {
      rowChunks(logits.size(0), width: logits.size(1)).reduce(0) { total, rows in
        total + quantity(logits[rows]).sum().item
      }
    }
  }
}
