import Diagnostics
import Glibc
import LanguageModels
import TempNet
import Torch

/// How text is generated: the temperature of each token, the rules of sampling, when to end.
public struct GenerationSettings: Sendable {
  /// Nil takes the likeliest token every time.
  public var policy: TemperaturePolicy?
  /// The temperatures in place of the policy's, where the tokens before decide.
  public var lineStart: LineStartRule?
  public var rules: SamplingRules
  public var seed: UInt64
  public var maximumTokens: Int
  /// Tokens that end a text; they are not part of it.
  public var ends: Set<Int32>

  public init(
    policy: TemperaturePolicy?, lineStart: LineStartRule? = nil, rules: SamplingRules = SamplingRules(), seed: UInt64,
    maximumTokens: Int, ends: Set<Int32>
  ) {
    self.lineStart = lineStart
    (self.policy, self.rules, self.seed, self.maximumTokens, self.ends) = (policy, rules, seed, maximumTokens, ends)
  }
}

/// A generated token with its temperature and probabilities.
public struct GeneratedToken: Equatable, Sendable {
  public let token: Int32
  /// Counted from the first generated one.
  public let position: Int
  /// The divisor of the logits; nil where the likeliest token is taken.
  public let temperature: Double?
  /// The logarithm of the probability with which it was drawn.
  public let logProbability: Double
  /// The logarithm of its probability at temperature 1 among all tokens.
  public let modelLogProbability: Double
  /// The entropy of the model's distribution at temperature 1, in nats.
  public let entropy: Double
}

public enum FinishReason: String, Sendable {
  /// An end token was drawn.
  case end = "stop"
  /// The limit of tokens, or the end of the model's context, was reached.
  case length
  /// No more tokens were wanted.
  case interrupted
}

/// Continues prompts with a model. A sequence depends on the seed, its number and its prompt, not on other sequences.
public struct Generator {
  private let model: LanguageModel
  private let settings: GenerationSettings
  private let policy: FoldedPolicy?
  private let draws: Draws

  /// The most continuations of one prompt: each has a number of its own.
  public static let mostSamples = 1 << 24

  public init(_ model: LanguageModel, _ settings: GenerationSettings) {
    self.model = model
    self.settings = settings
    policy = settings.policy.map { FoldedPolicy($0, unembedding: model.headWeight) }
    draws = Draws(seed: settings.seed)
  }

  /// The number of a continuation for `run`. It does not depend on the number of samples, so that more samples leave the
  /// first ones unchanged.
  ///
  /// - Parameters:
  ///   - prompt: counted from 0.
  ///   - sample: counted from 0, below `mostSamples`.
  public static func sequence(prompt: Int, sample: Int) -> Int {
    precondition((0..<mostSamples).contains(sample), "sample \(sample)")
    return prompt * mostSamples + sample
  }

  /// A prompt that the model has read; it can be continued any number of times.
  public struct Prompt {
    fileprivate let cache: KeyValueCache
    /// The last token's hidden state, [1, width].
    fileprivate let hidden: Tensor
    fileprivate let lineStart: LineStartRule?
  }

  /// Reads a prompt of at least one token and at most the model's context.
  public func read(_ tokens: [Int32]) -> Prompt {
    let capacity = min(model.configuration.context, tokens.count + settings.maximumTokens)
    precondition(!tokens.isEmpty && tokens.count <= capacity, "a prompt of \(tokens.count) tokens")
    var lineStart = settings.lineStart
    for token in tokens { lineStart?.follow(token) }
    return withoutGradients {
      let cache = KeyValueCache(model, capacity: capacity)
      let hidden = model.hiddenStates(
        Tensor(tokens.map(Int64.init), shape: [1, tokens.count]).to(model.device), after: cache)
      return Prompt(
        cache: cache, hidden: hidden.narrowed(1, tokens.count - 1..<tokens.count).squeezed(0), lineStart: lineStart)
    }
  }

  /// Continues a prompt.
  ///
  /// - Parameters:
  ///   - sequence: the number of the continuation; see ``sequence(prompt:sample:)``.
  ///   - body: called with each token as it comes; false interrupts the text, unless it is at its end.
  /// - Throws: `Failure` with `.badData` where logits are not finite, and the errors of `body`.
  @discardableResult
  public func run(
    _ prompt: Prompt, sequence: Int, _ body: (GeneratedToken) throws -> Bool
  ) throws -> FinishReason {
    let cache = prompt.cache.copy()
    var hidden = prompt.hidden
    var adaptive = settings.rules.adaptive
    var lineStart = prompt.lineStart
    for position in 0..<settings.maximumTokens {
      let next = try withoutGradients {
        try choose(
          hidden, sequence: sequence, position: position, temperature: lineStart?.temperature.temperature, &adaptive)
      }
      lineStart?.follow(next.token)
      if settings.ends.contains(next.token) { return .end }
      let isWanted = try body(next)
      guard position + 1 < settings.maximumTokens, cache.length < cache.capacity else { break }
      guard isWanted else { return .interrupted }
      hidden = withoutGradients {
        model.hiddenStates(Tensor([Int64(next.token)], shape: [1, 1]).to(model.device), after: cache).squeezed(0)
      }
    }
    return .length
  }

  /// - Parameter given: the temperature, where it is not the policy's.
  private func choose(
    _ hidden: Tensor, sequence: Int, position: Int, temperature given: Double?,
    _ adaptive: inout AdaptiveProbability?
  ) throws -> GeneratedToken {
    let row = model.logits(hidden).to(.float32)
    guard row.allFinite().item == 1 else {
      throw Failure(.badData, "the model's logits for token \(position + 1) of the continuation are not all finite")
    }
    let logits = row.floats
    let own = OwnDistribution(logits)
    guard let policy else {
      let token = Candidates(logits, SamplingRules(topK: 1)).tokens[0]
      return GeneratedToken(
        token: token, position: position, temperature: nil, logProbability: 0,
        modelLogProbability: own.logProbability(token), entropy: own.entropy)
    }
    let temperature: Double
    let candidates: Candidates
    switch settings.rules.order {
    case .temperatureFirst:
      temperature = given ?? policy(row, hidden: hidden).item
      candidates = Candidates(logits, settings.rules, temperature: temperature)
    case .temperatureLast:
      candidates = Candidates(logits, settings.rules)
      let left = Tensor(candidates.logits, shape: [1, candidates.logits.count])
      temperature = given ?? policy(policy.looksAtCandidates ? left : row, hidden: hidden).item
    }
    let drawn = candidates.draw(
      temperature: temperature, uniform: draws.uniform(sequence: sequence, position: position), adaptive: &adaptive)
    return GeneratedToken(
      token: drawn.token, position: position, temperature: temperature, logProbability: drawn.logProbability,
      modelLogProbability: own.logProbability(drawn.token), entropy: own.entropy)
  }
}

/// A model's distribution at temperature 1.
private struct OwnDistribution {
  private let logits: [Float]
  private let logPartition: Double
  let entropy: Double

  init(_ logits: [Float]) {
    let top = Double(logits.max()!)
    var (sum, weighted) = (0.0, 0.0)
    for logit in logits {
      let x = Double(logit) - top
      // exp(-100) is 0 beside the greatest logit's 1, and logits of -∞ would give 0 · -∞.
      guard x > -100 else { continue }
      let weight = exp(x)
      sum += weight
      weighted += weight * x
    }
    self.logits = logits
    logPartition = log(sum) + top
    entropy = log(sum) - weighted / sum
  }

  func logProbability(_ token: Int32) -> Double { Double(logits[Int(token)]) - logPartition }
}
