import Glibc
import Torch

/// A TempNet whose first layer is trained in standardised coordinates of its input u (a normalised row of logits):
///
///     A = c · A'        b = b' - c · A' · ū        c = √(3 V) / rms ‖u - ū‖
///
/// so that fresh weights A' of PyTorch's default size give pre-activations of mean near 0 and variance 1. The network that
/// results is the published one; only the way there is another. It matters: the rows of a language model's logits have
/// nearly one common direction (rms ‖u - ū‖ = 0.14 of norm 1, on a model of Austen with 4,096 logits), on which the
/// optimiser's steps add up and drown the rest. In the published coordinates three epochs left the temperatures equal
/// to three digits at every learning rate and initial size of A; in these the same three closed 90 % of the
/// gap in robust loss between the best single temperature and the exact optimum.
public struct StandardisedNetwork: Module, Sendable {
  private let raw: TemperatureNetwork
  /// ū, [V].
  private let mean: Tensor
  /// c
  private let scale: Double

  /// - Parameters:
  ///   - raw: a network with fresh weights, which become A', b' and the rest.
  ///   - mean: the mean normalised input, [V].
  public init(_ raw: TemperatureNetwork, inputMean mean: Tensor) {
    self.raw = raw
    self.mean = mean
    // Inputs have norm 1, so this is the mean square of their distance from the mean.
    let spread = max(1 - mean.square().sum().item, 1e-6)
    scale = (3 * Double(raw.settings.vocabulary) / spread).squareRoot()
  }

  public var settings: TempNetSettings { raw.settings }
  public var parameters: [NamedTensor] { raw.parameters }

  /// The network in its published form; differentiable in the parameters.
  public var published: TemperatureNetwork {
    let weight = raw.transformation.weight * scale
    let shift = weight.matmul(mean)
    let bias = raw.transformation.bias.map { $0 - shift } ?? -shift
    return TemperatureNetwork(
      settings: raw.settings, transformation: Linear(weight: weight, bias: bias), projection: raw.projection,
      scaler: raw.scaler, last: raw.last)
  }

  /// Moves the last bias so that temperatures whose mean is `mean` come to lie around `tau`.
  public func start(at tau: Double, from mean: Double) {
    let (low, range) = (settings.tauMin, settings.tauMax - settings.tauMin)
    func position(_ tau: Double) -> Double {
      // A hundredth from the bounds, where the sigmoid still has a slope.
      let share = Swift.min(Swift.max((tau - low) / range, 0.01), 0.99)
      return log(share / (1 - share))
    }
    raw.last.bias?.add(.full([1], position(tau) - position(mean), device: raw.last.weight.device))
  }
}
