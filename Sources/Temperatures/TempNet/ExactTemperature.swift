import Glibc
import TemperatureSettings
import Torch

/// The temperature that minimises the robust loss of each token: what TempNet learns to predict.
///
/// The loss is convex in τ with slope `H(softmax(z/τ)) - entropy`, and the entropy H grows with τ, so the optimum is the
/// temperature of the wanted entropy or, where that lies outside, a bound.
public enum ExactTemperature {
  /// How far the entropy at an inner optimum may be from the wanted one, in nats; the operator has the same.
  static let tolerance = 1e-10
  private static let iterationLimit = 100

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
      logits: logits, entropy: RobustBudget.entropy(alternatives: logits.size(1), rho: rho), bounds: bounds)
  }

  private static func solve(chunk: Tensor, entropy: Double, bounds: ClosedRange<Double>) -> Tensor {
    let goal = Goal(entropy: entropy, low: log(bounds.lowerBound), high: log(bounds.upperBound))
    let start = Tensor.zeros([chunk.size(0)], dtype: .float64, device: chunk.device).clamped(goal.low, goal.high)
    // Most steps are taken in float32, which is several times faster; the last one or two, in float64, are exact.
    let position = search(chunk.to(.float32), goal, from: start, tolerance: 1e-5)
    let exact = search(chunk.to(.float64), goal, from: position, tolerance: tolerance)
    // A bound is returned as it was given, not as the exponential of its logarithm.
    return exact.exp()
      .masked(exact.greater(goal.low).not(), with: bounds.lowerBound)
      .masked(exact.less(goal.high).not(), with: bounds.upperBound)
  }

  /// What is searched for; temperatures as logarithms.
  private struct Goal {
    let entropy: Double
    let low: Double
    let high: Double
  }

  /// Newton's method in ln τ, row by row, falling back to bisection where a step leaves the bracket or gains little.
  /// Rows that are done drop out, so that the wide sums run over the others only.
  private static func search(_ logits: Tensor, _ goal: Goal, from start: Tensor, tolerance: Double) -> Tensor {
    let result = start.cloned()
    var rows = Tensor.arange(logits.size(0), device: logits.device)
    var logits = logits
    var state = SearchState(start: start, goal: (goal.low, goal.high))
    for _ in 0..<iterationLimit {
      let statistics = TemperedStatistics(logits: logits, tau: state.position.exp())
      let excess = statistics.entropy - goal.entropy
      let unfinished = state.isFinished(excess, tolerance: tolerance).not()
      result.copy(state.position, toRows: rows)
      let left = unfinished.nonzero().squeezed(1)
      if left.count == 0 { break }
      state.advance(excess, slope: statistics.variance)
      if left.count < rows.count {
        state = state.rows(left)
        rows = rows.selected(0, indices: left)
        logits = logits.selected(0, indices: left)
      }
    }
    return result
  }
}

/// Where the search stands in each row. `low` and `high` bracket the root; until a bound itself has been looked at, its
/// side of the bracket lies beyond it.
private struct SearchState {
  let bounds: (low: Double, high: Double)
  var position: Tensor
  private var low: Tensor
  private var high: Tensor
  /// The magnitude of the excess one step ago.
  private var previous: Tensor

  init(start: Tensor, goal bounds: (low: Double, high: Double)) {
    self.bounds = bounds
    position = start
    low = start * 0 + (bounds.low - 1)
    high = start * 0 + (bounds.high + 1)
    previous = start * 0 + .infinity
  }

  /// True where the entropy fits, where the optimum lies beyond a bound, or where no number is left between the brackets.
  func isFinished(_ excess: Tensor, tolerance: Double) -> Tensor {
    let fits = excess.abs().greater(tolerance).not()
    let atLow = position.greater(bounds.low).not().and(excess.greater(0))
    let atHigh = position.less(bounds.high).not().and(excess.less(0))
    let closed = (high - low).less(1e-14)
    return fits.or(atLow).or(atHigh).or(closed)
  }

  mutating func advance(_ excess: Tensor, slope: Tensor) {
    let tooHigh = excess.greater(0)
    high = tooHigh.choose(position, high)
    low = tooHigh.choose(low, position)
    let newton = (position - excess / slope).clamped(bounds.low, bounds.high)
    let inside = newton.greater(low).and(newton.less(high))
    let atBound = newton.equal(bounds.low).or(newton.equal(bounds.high))
    let gains = (excess.abs() * 2).greater(previous).not()
    let middle = ((low + high) * 0.5).clamped(bounds.low, bounds.high)
    position = inside.and(gains.or(atBound)).choose(newton, middle)
    previous = excess.abs()
  }

  func rows(_ indices: Tensor) -> SearchState {
    var state = self
    state.position = position.selected(0, indices: indices)
    state.low = low.selected(0, indices: indices)
    state.high = high.selected(0, indices: indices)
    state.previous = previous.selected(0, indices: indices)
    return state
  }
}
