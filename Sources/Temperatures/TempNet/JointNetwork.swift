import TemperatureSettings
import Torch

/// A TempNet that is trained together with the model whose predictions it reads.
///
/// How its inputs lie (`StandardisedNetwork` says why that matters) changes with the model, so their moments are averaged
/// over the steps: over all of them at first, later with weights that fall by a hundredth with each step. As with the
/// running moments of batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167) a weight keeps its meaning in units
/// of the inputs as they now are, while no token's temperature depends on the others beside it.
public struct JointNetwork: Module, Sendable {
  private let raw: TemperatureNetwork
  private let coordinates: TempNetCoordinates
  /// Whether the network has been trained before, and is to begin as what it is.
  private let isTrained: Bool
  private let computeType: DType
  /// ū, [D], and of a scaled input the variance of its two further columns, [2].
  private let mean: Tensor
  private let scaleVariance: Tensor?

  /// - Parameters:
  ///   - raw: the network; its tensors are those that are trained.
  ///   - isTrained: whether it comes from an earlier training.
  ///   - computeType: of its large product.
  public init(
    _ raw: TemperatureNetwork, coordinates: TempNetCoordinates, isTrained: Bool = false, computeType: DType = .float32
  ) {
    self.raw = raw
    self.coordinates = coordinates
    self.isTrained = isTrained
    self.computeType = computeType
    let weight = raw.transformation.weight
    mean = .zeros([raw.settings.inputSize], dtype: weight.dtype, device: weight.device)
    scaleVariance = raw.settings.input == .scaled ? .ones([2], dtype: weight.dtype, device: weight.device) : nil
  }

  public var parameters: [NamedTensor] { raw.parameters }

  /// Tensors besides the parameters that change from step to step.
  public var buffers: [NamedTensor] {
    guard coordinates == .standardised else { return [] }
    return [NamedTensor("input.mean", mean)] + (scaleVariance.map { [NamedTensor("input.scale_variance", $0)] } ?? [])
  }

  /// The network in its published form; differentiable in the parameters.
  public var published: TemperatureNetwork { coordinates == .published ? raw : standardised.published }

  /// The temperatures [...] of logits [..., vocabulary], as `TemperatureNetwork` describes them.
  public func callAsFunction(_ logits: Tensor, hidden: Tensor, training: Bool) -> Tensor {
    published(logits, hidden: hidden, training: training, computeType: computeType)
  }

  private var standardised: StandardisedNetwork {
    StandardisedNetwork(raw, InputMoments(mean: mean, scaleVariance: scaleVariance))
  }

  /// The most steps over which moments are averaged.
  static let horizon = 100.0

  /// Averages in the moments of some inputs of a step, before the step is computed. The moments of a network that was trained before are those of the
  /// first step: were they to move, its temperatures would.
  ///
  /// - Parameters:
  ///   - logits: [N, vocabulary]; not computed where they tell nothing.
  ///   - hidden: what they were made of, [N, width].
  ///   - step: counted from 0.
  public func updateMoments(_ logits: @autoclosure () -> Tensor, hidden: Tensor, step: Int) {
    guard coordinates == .standardised, step == 0 || !isTrained else { return }
    withoutGradients {
      if hidden.size(0) > 0 {
        average(raw.input(logits(), hidden: hidden), share: max(1 / Double(step + 1), 1 / Self.horizon))
      }
      if isTrained { standardised.rescaleToPublished() }
    }
  }

  /// Gives inputs [N, D] a share in the moments. The variance is that of all inputs so far, weighted as the mean weights
  /// them (West 1979, Updating mean and variance estimates, for batches).
  private func average(_ inputs: Tensor, share: Double) {
    let centre = inputs.mean(0)
    if let scaleVariance {
      let scales = mean.count - scaleVariance.count..<mean.count
      let shift = centre.narrowed(0, scales) - mean.narrowed(0, scales)
      let spread = (inputs.narrowed(1, scales) - centre.narrowed(0, scales)).square().mean(0)
      move(scaleVariance, to: spread + shift.square() * (1 - share), by: share)
    }
    move(mean, to: centre, by: share)
  }

  private func move(_ average: Tensor, to value: Tensor, by share: Double) {
    average.multiply(by: 1 - share)
    average.add(value, scale: share)
  }
}
