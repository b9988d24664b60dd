import Glibc
import Torch

/// Solves an equation in the temperature for each row of logits, where its excess, left side minus right, grows with the
/// temperature.
///
/// Newton's method in ln τ, row by row, falling back to bisection where a step leaves the bracket or gains little. Rows
/// that are done drop out, so that the wide sums run over the others only.
struct TemperatureSearch {
  /// Where one step of the search stands, for the rows that are not done.
  struct Position {
    /// Of the logits at ``temperature``.
    let statistics: TemperedStatistics
    /// τ, float64 [n].
    let temperature: Tensor
    /// The indices of the rows among all, int64 [n].
    let rows: Tensor
  }

  private static let iterationLimit = 100
  private let bounds: ClosedRange<Double>
  /// ln τ
  private let (low, high): (Double, Double)

  /// - Parameter bounds: a root beyond a bound becomes the bound.
  init(_ bounds: ClosedRange<Double>) {
    self.bounds = bounds
    (low, high) = (log(bounds.lowerBound), log(bounds.upperBound))
  }

  /// The logarithms of the temperatures, float64 [N].
  ///
  /// - Parameters:
  ///   - logits: [N, V].
  ///   - start: ln τ, float64 [N]; moved between the bounds.
  ///   - tolerance: of the excess.
  ///   - excess: its value and its derivative by ln τ, float64 [n] both.
  func root(
    _ logits: Tensor, from start: Tensor, tolerance: Double,
    excess: (Position) -> (value: Tensor, slope: Tensor)
  ) -> Tensor {
    let start = start.clamped(low, high)
    let result = start.cloned()
    var rows = Tensor.arange(logits.size(0), device: logits.device)
    var logits = logits
    var state = SearchState(start: start, bounds: (low, high))
    for _ in 0..<Self.iterationLimit {
      let tau = state.position.exp()
      let found = excess(
        Position(statistics: TemperedStatistics(logits: logits, tau: tau), temperature: tau, rows: rows))
      let unfinished = state.isFinished(found.value, tolerance: tolerance).not()
      result.copy(state.position, toRows: rows)
      let left = unfinished.nonzero().squeezed(1)
      if left.count == 0 { break }
      state.advance(found.value, slope: found.slope)
      if left.count < rows.count {
        state = state.rows(left)
        rows = rows.selected(0, indices: left)
        logits = logits.selected(0, indices: left)
      }
    }
    return result
  }

  /// The temperatures of logarithms that ``root(_:from:tolerance:excess:)`` found. A bound is returned as it was given, not
  /// as the exponential of its logarithm.
  func temperatures(_ logarithms: Tensor) -> Tensor {
    logarithms.exp()
      .masked(logarithms.greater(low).not(), with: bounds.lowerBound)
      .masked(logarithms.less(high).not(), with: bounds.upperBound)
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

  init(start: Tensor, bounds: (low: Double, high: Double)) {
    self.bounds = bounds
    position = start
    low = start.filled(with: bounds.low - 1)
    high = start.filled(with: bounds.high + 1)
    previous = start.filled(with: .infinity)
  }

  /// True where the excess is small enough, where the root lies beyond a bound, or where no number is left between the brackets.
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
