import TemperatureSettings
import Torch

/// A TempNet for images or texts, trained in standardised coordinates of their embeddings and in units of the encoder's own
/// temperature.
public struct AnchorFitNetwork: FitNetwork {
  private let trained: JointEmbeddingNetwork
  private let last: Linear
  private let side: EmbeddingSide
  private let scale: Double

  /// - Parameters:
  ///   - fresh: its tensors are those that are trained. Its bounds are in units of the encoder's temperature.
  ///   - training: the rows whose embeddings are standardised.
  ///   - scale: the factor between similarities and logits; the network is saved with temperatures between unit rows.
  public init(_ fresh: EmbeddingTemperatureNetwork, training: AnchorRows, side: EmbeddingSide, scale: Double) {
    trained = JointEmbeddingNetwork(fresh, coordinates: .standardised)
    trained.updateMoments(training.embeddings, step: 0)
    (last, self.side, self.scale) = (fresh.last, side, scale)
  }

  public var bounds: ClosedRange<Double> { trained.settings.bounds }
  public var parameters: [NamedTensor] { trained.parameters }

  public func callAsFunction(_ rows: AnchorRows, training: Bool) -> Tensor {
    trained(rows.embeddings, training: training)
  }

  public func start(at tau: Double, from mean: Double) { last.start(at: tau, from: mean, bounds: bounds) }

  /// The file that ``save(_:)`` writes.
  public static let file = EmbeddingTempNetFile.name

  public func save(_ path: String) throws {
    let network = trained.published
    var settings = network.settings
    (settings.tauMin, settings.tauMax) = (settings.tauMin / scale, settings.tauMax / scale)
    try EmbeddingTempNetFile.write([(side, network.with(settings))], to: path)
  }
}
