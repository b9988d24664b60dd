import Glibc

/// The share γ of the batch at hand in the moving averages, epoch by epoch.
public enum GammaSchedule: Equatable, Sendable {
  case constant(Double)
  /// From 1 down to a least value within the first epochs, half a cosine, as FastCLIP has it (Wei et al. 2024,
  /// arXiv 2407.01445).
  case cosine(least: Double, epochs: Int)

  /// - Parameter epoch: counted from 0.
  public func gamma(epoch: Int) -> Double {
    switch self {
    case .constant(let gamma): return gamma
    case .cosine(let least, let epochs):
      guard epoch < epochs else { return least }
      return least + (1 - least) * 0.5 * (1 + cos(.pi * Double(epoch) / Double(epochs)))
    }
  }
}
