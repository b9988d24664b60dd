/// Everything about a TempNet that its weights do not say: the same weights under other bounds or another centring give
/// other temperatures, so these values travel with the weights.
public struct TempNetSettings: Equatable, Sendable {
  /// The form of the network's input.
  public enum Input: String, CaseIterable, Sendable {
    /// The logits as they are: the published GPT-2 and LLaMA-1 variants.
    case logits
    /// The logits minus their row's maximum: the published LLaMA-2 variant, which no shift of the logits changes.
    case centred
    /// As `centred`, and two columns more: the logarithms of the row's norm and of its standard deviation. The published
    /// inputs have norm 1, so that logits and twice those logits look the same to the network; this one tells them
    /// apart.
    case scaled
    /// The model's last hidden state, which the unembedding makes the logits of: some hundred numbers in place of some
    /// ten thousand.
    case hidden

    /// The choices in one phrase, for the help of a setting.
    public static let help =
      "logits as they are; centred: minus their row's maximum; scaled: that with its scale; or the last hidden state"

    /// Whether the row's maximum is taken off first.
    public var isCentred: Bool { self == .centred || self == .scaled }
  }

  /// The number of logits, padding included.
  public var vocabulary: Int
  /// The width of the hidden layers.
  public var hidden: Int
  /// The lower bound of the temperature.
  public var tauMin: Double
  /// The upper bound of the temperature.
  public var tauMax: Double
  /// The robust loss's divergence budget, in nats; the temperatures it asks for have entropy `ln(vocabulary) - rho`.
  public var rho: Double
  public var input: Input
  /// The width of the model's hidden states; only a network that reads those has one.
  public var width: Int?
  /// The least norm that an input row is divided by.
  public var normalisationEpsilon: Double
  /// The share of hidden units left out at random in training.
  public var dropout: Double

  /// The defaults are the published values where the published variants agree.
  public init(
    vocabulary: Int, hidden: Int = 256, tauMin: Double, tauMax: Double, rho: Double, input: Input = .logits,
    width: Int? = nil, normalisationEpsilon: Double = 1e-12, dropout: Double = 0.5
  ) {
    precondition(vocabulary > 1 && hidden > 0 && 0 < tauMin && tauMin < tauMax && (0..<1).contains(dropout))
    precondition((input == .hidden) == (width != nil), "a network that reads hidden states, and no other, has a width")
    self.vocabulary = vocabulary
    self.hidden = hidden
    self.tauMin = tauMin
    self.tauMax = tauMax
    self.rho = rho
    self.input = input
    self.width = width
    self.normalisationEpsilon = normalisationEpsilon
    self.dropout = dropout
  }

  /// The columns of the first layer.
  public var inputSize: Int {
    switch input {
    case .logits, .centred: vocabulary
    case .scaled: vocabulary + 2
    case .hidden: width!
    }
  }

  /// The entropy, in nats, that the robust loss asks each tempered distribution to have.
  public var targetEntropy: Double { RobustBudget.targetEntropy(alternatives: vocabulary, rho: rho) }
  public var bounds: ClosedRange<Double> { tauMin...tauMax }
}
