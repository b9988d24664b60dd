import TemperatureSettings
import Torch

/// A TempNet for tokens, trained in standardised coordinates of its input.
public struct TokenFitNetwork: FitNetwork {
  private let trained: StandardisedNetwork
  private let unembedding: FoldedUnembedding

  /// - Parameters:
  ///   - fresh: its tensors are those that are trained.
  ///   - training: the rows whose inputs are standardised.
  ///   - computeType: of the products with the first layer.
  public init(_ fresh: TemperatureNetwork, training: TokenRows, computeType: DType) {
    let (moments, mean) = training.moments(fresh.settings)
    trained = StandardisedNetwork(fresh, moments)
    unembedding = trained.foldedUnembedding(
      training.head.weight, bias: training.head.bias, mean: mean, computeType: computeType)
  }

  public static let file = TempNetFile.name

  public var bounds: ClosedRange<Double> { trained.settings.bounds }
  public var parameters: [NamedTensor] { trained.parameters }

  public func callAsFunction(_ rows: TokenRows, training: Bool) -> Tensor {
    switch rows.method {
    case .profile: trained.folded(unembedding)(hidden: rows.hidden, logits: rows.logits, training: training)
    case .logits: trained.published(rows.head(rows.hidden), hidden: rows.hidden, training: training)
    }
  }

  public func start(at tau: Double, from mean: Double) { trained.start(at: tau, from: mean) }

  public func save(_ path: String) throws { try trained.published.save(path) }
}
