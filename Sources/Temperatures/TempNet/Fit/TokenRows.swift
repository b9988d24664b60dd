import TemperatureSettings
import Torch

/// Features of tokens in memory, computed by a frozen language model.
public struct TokenRows: FitRows {
  let method: FitMethod
  let head: Head
  /// The last hidden states, [N, d].
  let hidden: Tensor
  let logits: LogitStatistics
  /// int64 [N]
  let label: Tensor
  public let target: Tensor
  /// The mean logit minus the largest, [N]; nil in features of format version 1.
  let mean: Tensor?
  public let logAlternatives: Tensor
  public let profile: TemperatureProfile

  public var kind: FeatureKind { .tokens }

  /// - Parameter head: the unembedding of the features' model.
  /// - Throws: `Failure(.badData)` where a column is missing, or has other numbers of logits than the unembedding.
  public init(_ rows: FeatureRows, head: Head, method: FitMethod) throws {
    self.method = method
    self.head = head
    hidden = rows.input
    logits = LogitStatistics(
      maximum: rows.maximum, norm: try rows.column(FeatureRows.Column.norm),
      centredNorm: try rows.column(FeatureRows.Column.centredNorm), hidden: hidden, weight: head.weight,
      bias: head.bias)
    label = try rows.column(FeatureRows.Column.label).to(.int64)
    target = rows.labelLogit - rows.maximum
    mean = try rows.meanLogits()
    logAlternatives = try rows.logAlternatives(vocabulary: head.vocabulary)
    profile = rows.profile
  }

  private init(_ all: TokenRows, _ indices: Tensor) {
    method = all.method
    head = all.head
    hidden = all.hidden.selected(0, indices: indices)
    logits = all.logits.rows(indices)
    label = all.label.selected(0, indices: indices)
    target = all.target.selected(0, indices: indices)
    mean = all.mean?.selected(0, indices: indices)
    logAlternatives = all.logAlternatives.selected(0, indices: indices)
    profile = all.profile.rows(indices)
  }

  public func rows(_ indices: [Int]) -> TokenRows { TokenRows(self, Tensor(indices).to(hidden.device)) }

  public func losses(at tau: Tensor, rho: Double) -> RowLosses {
    switch method {
    case .profile: return profiledLosses(at: tau, rho: rho)
    case .logits:
      let logits = head(hidden)
      return RowLosses(
        robust: RobustLoss.perToken(logits: logits, labels: label, tau: tau, rho: rho),
        crossEntropy: RobustLoss.temperedCrossEntropy(logits: logits, labels: label, tau: tau))
    }
  }

  public var hasMeanLogits: Bool { mean != nil }

  /// With logits x counted from the largest: `LSE(x/τ) - mean(x)/τ = (G(τ) - mean(x)) / τ`.
  public func uniformCrossEntropy(at tau: Tensor) -> Tensor? {
    mean.map { mean in
      switch method {
      case .profile: (profile(at: tau).value - mean) / tau.to(.float64)
      case .logits: -(head(hidden) / tau.unsqueezed(1)).logSoftmax(-1).mean(-1)
      }
    }
  }

  /// Few tokens at a time: with a large vocabulary the logits of all would be the largest thing in memory.
  public func interpolationError(at tau: Tensor) -> InterpolationError {
    let lookup = profile(at: tau)
    var (loss, entropy) = (0.0, 0.0)
    for first in stride(from: 0, to: count, by: 64) {
      let rows = first..<min(first + 64, count)
      let direct = TemperedStatistics(logits: head(hidden[rows]), tau: tau[rows])
      loss = max(loss, (lookup.value[rows] - tau[rows] * direct.logPartition).abs().maximum(0).item)
      entropy = max(entropy, (lookup.entropy[rows] - direct.entropy).abs().maximum(0).item)
    }
    return InterpolationError(rows: count, loss: loss, entropy: entropy)
  }

  /// The moments of the rows as a network's inputs, and their mean. The mean of normalised logits is linear in the hidden
  /// states, so one product with the unembedding gives it.
  func moments(_ settings: TempNetSettings) -> (InputMoments, FoldedMean) {
    let mean = FoldedMean(settings, hidden: hidden, logits: logits)
    let moments = InputMoments(
      mean: mean.ofInputs(settings.input == .hidden ? nil : head.weight, bias: head.bias),
      scales: settings.input == .scaled ? logits.scales(settings.normalisationEpsilon) : nil)
    return (moments, mean)
  }
}
