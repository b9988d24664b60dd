import Glibc
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch
import Training

/// One of the four objectives, for logits of a chunk of tokens: where the temperature comes from, and which loss it
/// tempers. Every gradient is given in closed form, so the chunk's logits pass through memory once.
///
/// With `p = softmax(z/τ)`, H its entropy and `CE = -ln p_y`:
///
///     robust loss     τ·CE + (ρ - ln V)·τ      ∂/∂z = p - onehot(y)             ∂/∂τ = H - (ln V - ρ)
///     cross-entropy   CE                       ∂/∂z = (p - onehot(y)) / τ       ∂/∂τ = (H - CE) / τ
///
/// The gradient by τ reaches TempNet's parameters only: the logits it reads are detached. An exact temperature has no
/// gradient either, because it minimises the loss or lies at a bound.
struct TokenObjective {
  enum Temperature {
    case fixed(Double)
    case exact
    case network(JointNetwork)
  }

  let temperature: Temperature
  let isRobust: Bool
  /// `ln V - ρ`, in nats.
  let targetEntropy: Double
  let bounds: ClosedRange<Double>

  /// Adds the gradients of the summed loss times `scale`, and measures it.
  ///
  /// - Parameters:
  ///   - logits: [N, V], recorded.
  ///   - hidden: the hidden states of the logits, [N, d].
  ///   - labels: int64 [N].
  /// - Returns: sums over the tokens.
  func addGradients(logits: Tensor, hidden: Tensor, labels: Tensor, scale: Double) -> [Measurement] {
    let tau = temperatures(logits, hidden, training: true)
    let terms = withoutGradients { TemperedTerms(logits, labels: labels, tau: tau) }
    if tau.requiresGradient { tau.backward(withoutGradients { tauGradient(terms) * scale }) }
    logits.backward(withoutGradients { logitsGradient(terms, labels: labels, scale: scale) })
    return withoutGradients { measurements(terms) }
  }

  /// Measures without gradients; adds the cross-entropy at temperature 1, which only validation needs.
  func measure(logits: Tensor, hidden: Tensor, labels: Tensor) -> [Measurement] {
    withoutGradients {
      let terms = TemperedTerms(logits, labels: labels, tau: temperatures(logits, hidden, training: false))
      let untempered = TemperedTerms.crossEntropy(logits, labels: labels)
      return measurements(terms) + [Measurement("cross_entropy", total(untempered))]
    }
  }

  private func temperatures(_ logits: Tensor, _ hidden: Tensor, training: Bool) -> Tensor {
    switch temperature {
    case .fixed(let tau): .full([logits.size(0)], tau, device: logits.device)
    case .exact:
      ExactTemperature.solve(logits: logits.detached(), entropy: targetEntropy, bounds: bounds).to(logits.dtype)
    case .network(let network): network(logits, hidden: hidden, training: training)
    }
  }

  private func logitsGradient(_ terms: TemperedTerms, labels: Tensor, scale: Double) -> Tensor {
    // `terms` is done with its probabilities: the gradient takes their place.
    let gradient = terms.probabilities
    let rows = Tensor.arange(labels.count, device: labels.device)
    gradient.put(terms.labelProbability - 1, at: [rows, labels])
    gradient.multiply(by: scale)
    if !isRobust { gradient.multiply(by: terms.tau.reciprocal().unsqueezed(1)) }
    return gradient
  }

  private func tauGradient(_ terms: TemperedTerms) -> Tensor {
    isRobust ? terms.entropy - targetEntropy : (terms.entropy - terms.crossEntropy) / terms.tau
  }

  private func measurements(_ terms: TemperedTerms) -> [Measurement] {
    let tau = terms.tau
    let loss = isRobust ? tau * (terms.crossEntropy - targetEntropy) : terms.crossEntropy
    let margin = BoundMargin.width(of: bounds)
    let values = [
      loss, terms.crossEntropy, terms.entropy, tau, tau.less(bounds.lowerBound + margin),
      tau.greater(bounds.upperBound - margin),
    ]
    return zip(Self.measured, values).map { Measurement($0, total($1)) }
  }

  private static let measured = [
    "loss", "tempered_cross_entropy", "tempered_entropy", "temperature", BoundMargin.lowerName, BoundMargin.upperName,
  ]

  /// The measurements of no tokens.
  static var nothingMeasured: [Measurement] { measured.map { Measurement($0, .zeros([], dtype: .float64)) } }

  private func total(_ values: Tensor) -> Tensor { values.to(.float64).sum() }
}

/// The terms of the losses and their gradients, for `p = softmax(z/τ)`.
struct TemperedTerms {
  /// [N]
  let tau: Tensor
  /// p, [N, V].
  let probabilities: Tensor
  /// p_y, [N].
  let labelProbability: Tensor
  /// -ln p_y, [N].
  let crossEntropy: Tensor
  /// Of p in nats, [N].
  let entropy: Tensor

  /// By one operator of our own where it takes the logits, in two passes over memory instead of ten.
  init(_ logits: Tensor, labels: Tensor, tau: Tensor) {
    guard logits.isCPUFloat32 else {
      self.init(reference: logits, labels: labels, tau: tau)
      return
    }
    let terms = logits.temperedTerms(labels: labels, tau: tau)
    self.init(
      tau: tau, probabilities: terms.probabilities, crossEntropy: terms.crossEntropy, entropy: terms.entropy)
  }

  private init(tau: Tensor, probabilities: Tensor, crossEntropy: Tensor, entropy: Tensor) {
    (self.tau, self.probabilities, self.crossEntropy, self.entropy) = (tau, probabilities, crossEntropy, entropy)
    labelProbability = (-crossEntropy).exp()
  }

  /// The same in libtorch's own operators, for GPUs, for float64, and for tests of the operator.
  init(reference logits: Tensor, labels: Tensor, tau: Tensor) {
    // Taking the maximum off first keeps the quotients small and exact.
    let centred = logits - logits.maximum(-1, keeping: true)
    let logProbabilities = (centred / tau.unsqueezed(1)).logSoftmax(-1)
    let probabilities = logProbabilities.exp()
    self.init(
      tau: tau, probabilities: probabilities,
      crossEntropy: -logProbabilities.gathered(1, labels.unsqueezed(1)).squeezed(1),
      entropy: -(probabilities * logProbabilities).sum(-1))
  }

  /// At temperature 1, [N].
  static func crossEntropy(_ logits: Tensor, labels: Tensor) -> Tensor {
    logits.logSumExp(-1) - logits.gathered(1, labels.unsqueezed(1)).squeezed(1)
  }
}
