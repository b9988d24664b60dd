import TemperatureSettings
import Torch

/// A TempNet that is trained together with the encoder whose embeddings it reads.
///
/// In standardised coordinates the first layer is trained as `StandardisedNetwork` describes it: unit rows of a dual encoder
/// share most of their direction, on which the optimiser's steps add up and drown the rest. The mean of the embeddings
/// moves with the encoder, so it is averaged over the steps as in `JointNetwork`.
public struct JointEmbeddingNetwork: Module, Sendable {
  private let raw: EmbeddingTemperatureNetwork
  private let coordinates: TempNetCoordinates
  /// ū, [width].
  private let mean: Tensor

  /// - Parameter raw: a fresh network; its tensors are those that are trained.
  public init(_ raw: EmbeddingTemperatureNetwork, coordinates: TempNetCoordinates) {
    self.raw = raw
    self.coordinates = coordinates
    let weight = raw.projection.weight
    mean = .zeros([raw.settings.width], dtype: weight.dtype, device: weight.device)
  }

  public var settings: EmbeddingTempNetSettings { raw.settings }
  public var parameters: [NamedTensor] { raw.parameters }

  /// Tensors besides the parameters that change from step to step.
  public var buffers: [NamedTensor] { coordinates == .standardised ? [NamedTensor("input.mean", mean)] : [] }

  /// The network in its published form; differentiable in the parameters.
  public var published: EmbeddingTemperatureNetwork {
    guard coordinates == .standardised else { return raw }
    let moments = InputMoments(mean: mean, scaleVariance: nil)
    let weight = raw.projection.weight * moments.columnScale
    let shift = weight.matmul(moments.mean)
    return EmbeddingTemperatureNetwork(
      settings: raw.settings, projection: Linear(weight: weight, bias: raw.projection.bias.map { $0 - shift }),
      pool: raw.pool, last: raw.last)
  }

  /// The temperatures [B] of embeddings [B, width].
  public func callAsFunction(_ embeddings: Tensor, training: Bool) -> Tensor {
    published(embeddings, training: training)
  }

  /// Averages in the mean of a step's embeddings [B, width], before the step is computed.
  ///
  /// - Parameter step: counted from 0.
  public func updateMoments(_ embeddings: Tensor, step: Int) {
    guard coordinates == .standardised else { return }
    withoutGradients {
      let share = max(1 / Double(step + 1), 1 / JointNetwork.horizon)
      mean.multiply(by: 1 - share)
      mean.add(embeddings.detached().mean(0), scale: share)
    }
  }

  /// Gives the prototypes the directions of some rows [units, width]; the published code takes embeddings of the other
  /// side. Without effect on a network of two layers.
  public func setPrototypes(_ rows: Tensor) { raw.pool?.prototypes.copy(from: rows) }
}
