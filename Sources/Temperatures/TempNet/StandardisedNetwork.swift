import Glibc
import TemperatureSettings
import Torch

/// A TempNet whose first layer is trained in standardised coordinates of its input u (a normalised row of logits):
///
///     A = A' · diag(c)        b = b' - A · ū        c_j = √(3 D) / s_j
///
/// so that fresh weights A' of PyTorch's default size give pre-activations of mean near 0 and variance 1. D is the number
/// of columns; s is rms ‖u - ū‖ for the columns of a direction, and its own deviation for that of a scale. The network that
/// results is the published one; only the way there is another. It matters: the rows of a language model's logits have
/// nearly one common direction (rms ‖u - ū‖ = 0.14 of norm 1, on a model of Austen with 4,096 logits), on which the
/// optimiser's steps add up and drown the rest. In the published coordinates three epochs left the temperatures equal
/// to three digits at every learning rate and initial size of A; in these the same three closed 90 % of the
/// gap in robust loss between the best single temperature and the exact optimum.
public struct StandardisedNetwork: Module, Sendable {
  private let raw: TemperatureNetwork
  private let moments: InputMoments
  /// c, [D].
  private let scale: Tensor

  /// - Parameters:
  ///   - raw: a network whose weights are A', b' and the rest; fresh ones, as PyTorch draws them, fit.
  ///   - moments: of the inputs that it will see.
  public init(_ raw: TemperatureNetwork, _ moments: InputMoments) {
    precondition(moments.mean.count == raw.settings.inputSize && moments.deviation.count == raw.settings.inputSize)
    self.raw = raw
    self.moments = moments
    scale = moments.columnScale
  }

  public var settings: TempNetSettings { raw.settings }
  public var parameters: [NamedTensor] { raw.parameters }

  /// The network in its published form; differentiable in the parameters.
  public var published: TemperatureNetwork {
    let weight = raw.transformation.weight * scale
    let shift = weight.matmul(moments.mean)
    let bias = raw.transformation.bias.map { $0 - shift } ?? -shift
    return TemperatureNetwork(
      settings: raw.settings, transformation: Linear(weight: weight, bias: bias), projection: raw.projection,
      scaler: raw.scaler, last: raw.last)
  }

  /// Rescales the raw weights so that `published` equals the network that they encode now.
  func rescaleToPublished() {
    let shift = raw.transformation.weight.matmul(moments.mean)
    raw.transformation.bias?.add(shift)
    raw.transformation.weight.copy(from: raw.transformation.weight / scale)
  }

  /// An unembedding in these coordinates, made once for all steps: it holds a copy of the unembedding.
  ///
  /// - Parameters:
  ///   - unembedding: [vocabulary, d].
  ///   - bias: what the unembedding adds to the logits, [vocabulary].
  ///   - mean: of the tokens that the moments are of.
  ///   - computeType: of the products with the first layer.
  public func foldedUnembedding(
    _ unembedding: Tensor, bias: Tensor?, mean: FoldedMean, computeType: DType = .float32
  ) -> FoldedUnembedding {
    FoldedUnembedding(
      weight: unembedding, bias: bias, vocabulary: settings.input == .hidden ? 0 : settings.vocabulary, mean: mean,
      scale: scale, shift: scale * moments.mean, computeType: computeType)
  }

  /// The network as it is now, multiplied through an unembedding; differentiable in the parameters. Equals `published`
  /// folded, without a product as large as the first layer.
  public func folded(_ unembedding: FoldedUnembedding) -> FoldedTemperatureNetwork {
    FoldedTemperatureNetwork(raw, unembedding)
  }

  /// Moves the last bias so that temperatures whose mean is `mean` come to lie around `tau`.
  public func start(at tau: Double, from mean: Double) { raw.last.start(at: tau, from: mean, bounds: settings.bounds) }
}

extension Linear {
  /// Moves the bias of a network's last layer so that temperatures whose mean is `mean` come to lie around `tau`.
  func start(at tau: Double, from mean: Double, bounds: ClosedRange<Double>) {
    let (low, range) = (bounds.lowerBound, bounds.upperBound - bounds.lowerBound)
    func position(_ tau: Double) -> Double {
      // A hundredth from the bounds, where the sigmoid still has a slope.
      let share = Swift.min(Swift.max((tau - low) / range, 0.01), 0.99)
      return log(share / (1 - share))
    }
    bias?.add(.full([1], position(tau) - position(mean), device: weight.device))
  }
}

/// How the inputs of a network's first layer lie, D columns wide.
public struct InputMoments: Sendable {
  /// ū, [D].
  public let mean: Tensor
  /// s, [D].
  public let deviation: Tensor

  /// - Parameters:
  ///   - mean: of the rows of norm 1, [D'].
  ///   - scales: the two further columns of a scaled input, [N, 2].
  public init(mean: Tensor, scales: Tensor? = nil) {
    let centre = scales?.mean(0)
    self.init(
      mean: .concatenate([mean, centre].compactMap { $0 }),
      scaleVariance: scales.map { ($0 - centre!).square().mean(0) })
  }

  /// - Parameters:
  ///   - mean: ū, [D].
  ///   - scaleVariance: of the two further columns of a scaled input, [2].
  init(mean: Tensor, scaleVariance: Tensor?) {
    let directions = mean.narrowed(0, 0..<mean.count - (scaleVariance?.count ?? 0))
    // Rows have norm 1, so this is the mean square of their distance from the mean.
    let spread = (1 - directions.square().sum().to(.float64)).clamped(1e-6, nil).sqrt().to(mean.dtype)
    let direction = Tensor.ones([directions.count], dtype: mean.dtype, device: mean.device) * spread
    let scales = scaleVariance.map { $0.sqrt().clamped(1e-3, nil) }
    self.mean = mean
    deviation = .concatenate([direction, scales].compactMap { $0 })
  }

  /// c_j = √(3 D) / s_j, [D]: the factor between weights of PyTorch's default size and those of standardised coordinates.
  var columnScale: Tensor { deviation.reciprocal() * (3 * Double(mean.count)).squareRoot() }
}
