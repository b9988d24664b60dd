import Glibc

/// A learning rate over a run: a linear rise, then half a cosine down to a floor, or a constant.
public struct Schedule: Equatable, Sendable {
  public enum Shape: String, CaseIterable, Sendable {
    case cosine
    case constant
  }

  public let shape: Shape
  public let peak: Double
  /// The rate at which the cosine ends.
  public let floor: Double
  /// Steps of the rise; the last of them has the peak rate.
  public let warmup: Int
  /// Steps of the run; the last of them has the floor's rate.
  public let steps: Int

  public init(_ shape: Shape = .cosine, peak: Double, floor: Double = 0, warmup: Int = 0, steps: Int) {
    self.shape = shape
    self.peak = peak
    self.floor = floor
    self.warmup = warmup
    self.steps = steps
  }

  /// The rate of a step, counted from 0.
  public func rate(_ step: Int) -> Double {
    if step < warmup { return peak * (Double(step + 1) / Double(warmup)) }
    guard shape == .cosine, steps > warmup else { return peak }
    let progress = min(1, Double(step + 1 - warmup) / Double(steps - warmup))
    return floor + (peak - floor) * 0.5 * (1 + cos(.pi * progress))
  }
}
