import Statistics

/// The right answer to an item, and the lengths by which scores are divided.
public enum TaskAnswer: Equatable, Sendable {
  /// The continuation of the choice `gold` should be the likeliest; one request per choice, and perhaps as many again
  /// for the choices without a context.
  case choice(gold: Int, choices: [TextSize])
  /// The continuation should be likely, and the likeliest token at each of its positions; one request.
  case target(TextSize)
  /// The page should be likely; one request.
  case page(TextSize)

  /// Whether the same figures can be stated about both.
  public func isLike(_ other: TaskAnswer) -> Bool {
    switch (self, other) {
    case (.choice, .choice), (.target, .target), (.page, .page): true
    default: false
    }
  }
}

/// The length of a text that log-likelihoods are divided by.
public struct TextSize: Equatable, Sendable {
  /// Unicode scalars: what Python's `len` counts.
  public let characters: Int
  /// In UTF-8.
  public let bytes: Int
  /// Pieces between runs of white space; such runs at the ends make empty pieces, which count.
  public let words: Int

  public init(characters: Int, bytes: Int, words: Int) {
    self.characters = characters
    self.bytes = bytes
    self.words = words
  }
}

/// The measurements of a task, policy by policy.
public struct TaskScores: Sendable {
  /// The facts that a reader needs to compare the figures with others.
  public struct Description: Equatable, Sendable {
    public var name: String
    /// Of the task: changes whenever its prompts or its scoring do.
    public var version: String
    /// In words: whose prompts, how many examples in them.
    public var prompts: String
    /// SHA-256 of the file with the items.
    public var dataDigest: String
    /// How the first text of a context begins.
    public var beginning: String

    public init(name: String, version: String, prompts: String, dataDigest: String, beginning: String) {
      self.name = name
      self.version = version
      self.prompts = prompts
      self.dataDigest = dataDigest
      self.beginning = beginning
    }
  }

  public struct Item: Equatable, Sendable {
    public var answer: TaskAnswer
    /// What the item shares with others that belong together with it, such as one text; nil for an independent item.
    public var group: String?
    /// In the order that `TaskAnswer` says.
    public var requests: [RequestScore]

    public init(answer: TaskAnswer, group: String? = nil, requests: [RequestScore]) {
      self.answer = answer
      self.group = group
      self.requests = requests
    }
  }

  public var description: Description
  /// Short names; the first one is the reference that the others are compared with.
  public var policies: [String]
  public var items: [Item]
  /// Pairs whose token ids, context and continuation one after the other, are not those of the joined text.
  public var mergedJoins: Int
  /// Requests whose context was cut at the beginning to fit the model's context.
  public var truncated: Int

  public init(description: Description, policies: [String], items: [Item], mergedJoins: Int, truncated: Int) {
    precondition(!items.isEmpty, "\(description.name): no items were scored")
    self.description = description
    self.policies = policies
    self.items = items
    self.mergedJoins = mergedJoins
    self.truncated = truncated
  }

  /// Whether a policy's log-likelihoods are those of the first one.
  func isSame(_ policy: Int) -> Bool {
    items.allSatisfy { item in item.requests.allSatisfy { $0.logLikelihoods[policy] == $0.logLikelihoods[0] } }
  }

  /// Items of a group together, others each by itself.
  var clusters: Clusters {
    Clusters(labels: items.enumerated().map { index, item in item.group.map { "group \($0)" } ?? "item \(index)" })
  }
}

/// The measurements of one continuation after its context.
public struct RequestScore: Equatable, Sendable {
  /// How many tokens of the continuation were predicted.
  public var tokens: Int
  /// Whether every one of them was the likeliest; no temperature changes that.
  public var isGreedy: Bool
  /// The mean entropy of the predictions at temperature 1, in nats.
  public var entropy: Double
  /// By policy: the summed log-likelihood of the tokens, in nats, and the mean of the temperatures.
  public var logLikelihoods: [Double]
  public var temperatures: [Double]

  public init(
    tokens: Int, isGreedy: Bool, entropy: Double, logLikelihoods: [Double], temperatures: [Double]
  ) {
    self.tokens = tokens
    self.isGreedy = isGreedy
    self.entropy = entropy
    self.logLikelihoods = logLikelihoods
    self.temperatures = temperatures
  }
}
