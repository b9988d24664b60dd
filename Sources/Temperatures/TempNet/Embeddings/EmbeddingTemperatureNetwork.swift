import Glibc
import TemperatureSettings
import Torch

/// A TempNet that reads embeddings: it predicts the temperature at which an image or a text is compared with the others.
///
/// The published form (`TempGenerator` of `Bimodal_CL/models/losses.py`, arXiv 2404.04575), with u a row of unit length:
///
///     h = dropout(σ(A · u + b))                                   (proj)
///     y_m = ⟨h, p_m / ‖p_m‖⟩                                       (prototypes)
///     a = softmax(y / exp(scaler))
///     τ = τ_min + (τ_max - τ_min) · σ(Σ_m w_m (a_m - 1/M) σ(y_m) + w₀)      (linear_1)
///
/// The form of two layers has the same names without prototypes and scaler:
///
///     τ = τ_min + (τ_max - τ_min) · σ(w · dropout(gelu(A · u + b)) + w₀)
///
/// No gradient flows into the embeddings.
public struct EmbeddingTemperatureNetwork: Module, Sendable {
  public let settings: EmbeddingTempNetSettings
  /// [width, width], or [units, width] of two layers, and its bias.
  public let projection: Linear
  /// The part that only the form with prototypes has.
  public let pool: Pool?
  /// [1, units] and [1].
  public let last: Linear

  public struct Pool: Sendable {
    /// The logarithm of the pooling softmax's own temperature, of rank 0.
    public let scaler: Tensor
    /// [units, width]; they count by their direction alone.
    public let prototypes: Tensor

    public init(scaler: Tensor, prototypes: Tensor) {
      (self.scaler, self.prototypes) = (scaler, prototypes)
    }
  }

  /// Draws weights from the generator that `TorchRuntime.seed` sets.
  ///
  /// The published initialisation: PyTorch's default for the projection, normal prototypes, the scaler ln 0.01, pooling
  /// weights of 1. Two layers have PyTorch's default.
  public init(_ settings: EmbeddingTempNetSettings) {
    switch settings.form {
    case .prototypes:
      self.init(
        settings: settings, projection: Linear(settings.width, settings.width),
        pool: Pool(
          scaler: Tensor(scalar: Float(log(0.01))), prototypes: .normal([settings.units, settings.width])),
        last: Linear(weight: .ones([1, settings.units]), bias: .zeros([1])))
    case .layers:
      self.init(
        settings: settings, projection: Linear(settings.width, settings.units), pool: nil,
        last: Linear(settings.units, 1))
    }
  }

  public init(settings: EmbeddingTempNetSettings, projection: Linear, pool: Pool?, last: Linear) {
    precondition((pool != nil) == (settings.form == .prototypes), "prototypes are what one form alone has")
    (self.settings, self.projection, self.pool, self.last) = (settings, projection, pool, last)
  }

  /// A network over other tensors of the same shapes: moved to a device, of another type, or copied.
  public func mapped(_ change: (Tensor) -> Tensor) -> EmbeddingTemperatureNetwork {
    func changed(_ layer: Linear) -> Linear { Linear(weight: change(layer.weight), bias: layer.bias.map(change)) }
    return EmbeddingTemperatureNetwork(
      settings: settings, projection: changed(projection),
      pool: pool.map { Pool(scaler: change($0.scaler), prototypes: change($0.prototypes)) }, last: changed(last))
  }

  /// The same weights under other settings of equal sizes, such as bounds in other units.
  public func with(_ settings: EmbeddingTempNetSettings) -> EmbeddingTemperatureNetwork {
    precondition(
      settings.form == self.settings.form && settings.width == self.settings.width
        && settings.units == self.settings.units)
    return EmbeddingTemperatureNetwork(settings: settings, projection: projection, pool: pool, last: last)
  }

  /// The parameters under their published names.
  public var parameters: [NamedTensor] {
    projection.parameters(under: "proj")
      + (pool.map { [NamedTensor("scaler", $0.scaler), NamedTensor("prototypes", $0.prototypes)] } ?? [])
      + last.parameters(under: "linear_1")
  }

  /// The temperatures [...] of embeddings [..., width].
  ///
  /// - Parameter training: whether hidden units are dropped at random.
  public func callAsFunction(_ embeddings: Tensor, training: Bool = false) -> Tensor {
    let transformed = projection(embeddings.detached())
    let active =
      pool.map { pooled(transformed.sigmoid(), $0, training) } ?? dropped(transformed.gelu(), training)
    let score = last(active).squeezed(-1)
    return score.sigmoid() * (settings.tauMax - settings.tauMin) + settings.tauMin
  }

  private func pooled(_ active: Tensor, _ pool: Pool, _ training: Bool) -> Tensor {
    let directions = pool.prototypes / pool.prototypes.norm(-1, keeping: true).clamped(1e-12, nil)
    let scores = dropped(active, training).matmul(directions.transposed())
    let weights = (scores / pool.scaler.exp()).softmax(-1)
    return (weights - 1 / Double(settings.units)) * scores.sigmoid()
  }

  private func dropped(_ active: Tensor, _ training: Bool) -> Tensor {
    training ? active.dropout(settings.dropout) : active
  }
}
