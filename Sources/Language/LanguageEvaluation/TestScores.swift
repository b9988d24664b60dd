import TemperatureSettings

/// The measurements of each token of a test text, policy by policy.
///
/// Everything in a report follows from these numbers; lists hold one number per scored token, in the order of
/// the text.
public struct TestScores: Sendable {
  /// The entropy of the model's prediction at temperature 1, in nats.
  public var entropy: [Float]
  /// Whether the likeliest token was the right one; no temperature changes that.
  public var isCorrect: [Bool]
  /// The document that the token belongs to, in ascending order.
  public var documents: [Int]
  /// The first one is the reference that the others are compared with.
  public var policies: [PolicyScores]
  /// The size of the text in tokens, documents, bytes and words.
  public var extent: TextExtent
  /// The robust loss's divergence budget, in nats.
  public var rho: Double
  /// The number of logits.
  public var vocabulary: Int
  /// The least and greatest temperature of the exact optimum.
  public var bounds: ClosedRange<Double>

  public init(
    entropy: [Float], isCorrect: [Bool], documents: [Int], policies: [PolicyScores], extent: TextExtent, rho: Double,
    vocabulary: Int, bounds: ClosedRange<Double>
  ) {
    precondition(!entropy.isEmpty && isCorrect.count == entropy.count, "no tokens were scored")
    precondition(documents.count == entropy.count, "documents of other tokens")
    for policy in policies {
      precondition(
        [policy.temperature, policy.crossEntropy, policy.confidence, policy.brier].allSatisfy {
          $0.count == entropy.count
        },
        "\(policy.name): other tokens than the entropies are for")
    }
    self.entropy = entropy
    self.isCorrect = isCorrect
    self.documents = documents
    self.policies = policies
    self.extent = extent
    self.rho = rho
    self.vocabulary = vocabulary
    self.bounds = bounds
  }

  /// The entropy that the robust loss asks of each prediction, in nats.
  public var targetEntropy: Double { RobustBudget.targetEntropy(alternatives: vocabulary, rho: rho) }

  /// The robust loss of each token, `τ · CE(z/τ, y) + (ρ - ln V) · τ`.
  func robustLoss(of policy: PolicyScores) -> [Double] {
    zip(policy.temperature, policy.crossEntropy).map { Double($0) * (Double($1) - targetEntropy) }
  }
}

/// How much text was scored.
public struct TextExtent: Equatable, Sendable {
  public var tokens: Int
  public var documents: Int
  /// Of the text in UTF-8.
  public var bytes: Int
  /// Pieces between runs of white space.
  public var words: Int

  public init(tokens: Int, documents: Int, bytes: Int, words: Int) {
    self.tokens = tokens
    self.documents = documents
    self.bytes = bytes
    self.words = words
  }
}

/// One policy's temperatures and the measurements of its tempered predictions.
public struct PolicyScores: Sendable {
  /// Short and unique, as given on the command line.
  public var name: String
  /// For people: what the policy is.
  public var title: String
  public var kind: PolicyKind
  /// The range that the policy's temperatures are confined to, if not that of the exact optimum.
  public var bounds: ClosedRange<Double>?
  public var temperature: [Float]
  /// The negative log likelihood of each token at its temperature, in nats.
  public var crossEntropy: [Float]
  /// The probability of the likeliest token at its temperature.
  public var confidence: [Float]
  /// The Brier score of each prediction at its temperature: the squared distance of the probabilities from 1 for the
  /// right token and 0 for all others, 0 to 2.
  public var brier: [Float]
  /// Measurements without a policy, where the policy is that of another model than the evaluated one.
  public var other: OtherModel?

  public init(
    name: String, title: String, kind: PolicyKind, bounds: ClosedRange<Double>? = nil, temperature: [Float],
    crossEntropy: [Float], confidence: [Float], brier: [Float], other: OtherModel? = nil
  ) {
    self.name = name
    self.title = title
    self.kind = kind
    self.bounds = bounds
    self.temperature = temperature
    self.crossEntropy = crossEntropy
    self.confidence = confidence
    self.brier = brier
    self.other = other
  }
}

/// A model that the evaluated one is compared with, on the same tokens.
public struct OtherModel: Sendable {
  /// From 1, in the order in which the models were given.
  public var number: Int
  /// The entropy of its prediction at temperature 1, in nats.
  public var entropy: [Float]
  /// Whether its likeliest token was the right one.
  public var isCorrect: [Bool]

  public init(number: Int, entropy: [Float], isCorrect: [Bool]) {
    self.number = number
    self.entropy = entropy
    self.isCorrect = isCorrect
  }
}

/// How a policy comes to its temperatures.
public enum PolicyKind: String, Sendable, CaseIterable {
  /// One temperature that was given.
  case fixed
  /// The one temperature with the least cross-entropy on the validation split.
  case bestCrossEntropy = "best_cross_entropy"
  /// The one temperature with the least robust loss on the validation split.
  case bestRobustLoss = "best_robust_loss"
  /// A TempNet.
  case tempnet
  /// A formula in the entropy of the prediction at temperature 1.
  case formula
  /// The optimum of the robust loss for each token.
  case exact
  /// One temperature for a model that the evaluated one is compared with.
  case baseline
}
