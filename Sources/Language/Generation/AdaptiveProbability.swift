import Glibc

/// Reshapes probabilities so that the drawn tokens have a given probability on average: llama.cpp's `adaptive-p`
/// (ggml-org/llama.cpp pull request 17927), with its width of 0.3 and sharpness of 10.
///
/// A token of probability p gets the logit `-10 d² / (1 + d)`, up to a constant, with `d = |p - t'| / 0.3`. The aim t' is twice the target
/// less the running mean of the probabilities drawn before, between 0 and 1; the mean begins at the target. Unlike a
/// temperature, this can change which token is the likeliest.
public struct AdaptiveProbability: Equatable, Sendable {
  private static let width = 0.3
  private static let sharpness = 10.0
  /// llama.cpp's own limit.
  public static let decays = 0.0...0.99

  private let target: Double
  private let decay: Double
  /// Σ decayⁱ pᵢ and Σ decayⁱ over the tokens drawn before, the latest first.
  private var sum: Double
  private var weight: Double

  /// - Parameters:
  ///   - target: from 0 to 1.
  ///   - decay: the weight of a token beside that of the one drawn after it; one of ``decays``.
  public init(target: Double, decay: Double = 0.9) {
    precondition((0...1).contains(target) && Self.decays.contains(decay))
    (self.target, self.decay) = (target, decay)
    weight = 1 / (1 - decay)
    sum = target * weight
  }

  /// The weights with which tokens are drawn, the greatest possible being 1.
  ///
  /// - Parameter own: weights that are proportional to the tokens' probabilities; `total` is their sum.
  func weights(_ own: [Double], total: Double) -> [Double] {
    let aim = min(max(2 * target - sum / weight, 0), 1)
    return own.map { own in
      // A token of probability 0 was ruled out before.
      guard own > 0 else { return 0 }
      let distance = abs(own / total - aim) / Self.width
      return exp(-Self.sharpness * distance * distance / (1 + distance))
    }
  }

  /// Takes note of the probability, before reshaping, of the token that was drawn.
  mutating func hasDrawn(_ probability: Double) {
    sum = probability + decay * sum
    weight = 1 + decay * weight
  }
}
