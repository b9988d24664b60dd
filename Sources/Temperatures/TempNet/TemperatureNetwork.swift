import TemperatureSettings
import Torch

/// TempNet (Qiu et al. 2024, arXiv 2404.04575): predicts the softmax temperature of one prediction from its logits.
///
///     x = A · u + b,  u = z / max(‖z‖, ε)               (proj.0)
///     y = B · dropout(σ(x)) + c                         (proj.3)
///     a = softmax(y / exp(scaler))
///     τ = τ_min + (τ_max - τ_min) · σ(Σ_k w_k (a_k - 1/K) y_k + w₀)      (last)
///
/// z are the logits, the logits minus their maximum, or the hidden state that they come from; `TempNetSettings.Input`
/// says which, and where two columns are added to u. No gradient flows into any of them.
public struct TemperatureNetwork: Module, Sendable {
  public let settings: TempNetSettings
  /// proj.0: [hidden, inputSize] and [hidden].
  public let transformation: Linear
  /// proj.3: [hidden, hidden] and [hidden].
  public let projection: Linear
  /// The logarithm of the pooling softmax's own temperature, of rank 0.
  public let scaler: Tensor
  /// [1, hidden] and [1].
  public let last: Linear

  /// The published initialisation: PyTorch's default for both projections, then pooling weights of 1, bias and scaler
  /// of 0. Draws from the generator that `TorchRuntime.seed` sets.
  public init(_ settings: TempNetSettings) {
    self.init(
      settings: settings,
      transformation: Linear(settings.inputSize, settings.hidden),
      projection: Linear(settings.hidden, settings.hidden),
      scaler: .zeros([]),
      last: Linear(weight: .ones([1, settings.hidden]), bias: .zeros([1])))
  }

  init(settings: TempNetSettings, transformation: Linear, projection: Linear, scaler: Tensor, last: Linear) {
    self.settings = settings
    self.transformation = transformation
    self.projection = projection
    self.scaler = scaler
    self.last = last
  }

  /// Another network's weights under other settings, which must have the same sizes.
  public init(_ settings: TempNetSettings, weightsOf network: TemperatureNetwork) {
    precondition(settings.inputSize == network.settings.inputSize && settings.hidden == network.settings.hidden)
    self.init(
      settings: settings, transformation: network.transformation, projection: network.projection,
      scaler: network.scaler, last: network.last)
  }

  /// A network over other tensors of the same shapes: moved to a device, of another type, or copied.
  public func mapped(_ change: (Tensor) -> Tensor) -> TemperatureNetwork {
    func changed(_ layer: Linear) -> Linear { Linear(weight: change(layer.weight), bias: layer.bias.map(change)) }
    return TemperatureNetwork(
      settings: settings, transformation: changed(transformation), projection: changed(projection),
      scaler: change(scaler), last: changed(last))
  }

  /// The parameters under their published names.
  public var parameters: [NamedTensor] {
    transformation.parameters(under: TempNetTensors.transformation)
      + projection.parameters(under: TempNetTensors.projection) + [NamedTensor(TempNetTensors.scaler, scaler)]
      + last.parameters(under: TempNetTensors.last)
  }

  /// The temperatures [...] of logits [..., vocabulary].
  ///
  /// - Parameters:
  ///   - hidden: the hidden states [..., width] that the logits were made of, which a network with that input needs;
  ///     others do without.
  ///   - training: whether hidden units are dropped at random.
  ///   - computeType: of the first layer's product, the only large one.
  public func callAsFunction(
    _ logits: Tensor, hidden: Tensor? = nil, training: Bool = false, computeType: DType = .float32
  ) -> Tensor {
    temperature(
      transformed: transformation(input(logits, hidden: hidden), computeType: computeType), training: training)
  }

  /// u, [..., inputSize].
  func input(_ logits: Tensor, hidden: Tensor?) -> Tensor {
    if settings.input == .hidden {
      guard let hidden else { preconditionFailure("this TempNet reads hidden states") }
      return normalised(hidden.detached())
    }
    let logits = logits.detached()
    guard settings.input.isCentred else { return normalised(logits) }
    let rows = logits - logits.maximum(-1, keeping: true)
    guard settings.input == .scaled else { return normalised(rows) }
    let statistics = LogitStatistics(logits)
    return .concatenate([normalised(rows), statistics.scales(settings.normalisationEpsilon)], dimension: -1)
  }

  private func normalised(_ rows: Tensor) -> Tensor {
    rows.unitRows(epsilon: settings.normalisationEpsilon)
  }

  /// The network after the first layer: from its outputs [..., hidden], before the sigmoid, to temperatures [...].
  func temperature(transformed: Tensor, training: Bool) -> Tensor {
    let active = transformed.sigmoid()
    let scores = projection(training ? active.dropout(settings.dropout) : active)
    let weights = (scores / scaler.exp()).softmax(-1)
    let pooled = last((weights - 1 / Double(settings.hidden)) * scores).squeezed(-1)
    return pooled.sigmoid() * (settings.tauMax - settings.tauMin) + settings.tauMin
  }
}
