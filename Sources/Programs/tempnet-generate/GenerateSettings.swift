import Configuration
import Diagnostics
import Generation
import TemperatureSettings
import Tokenization
import TrainingOptions

/// The values of the options, checked like the configurations of stages: a wrong value ends with 78 and a message with
/// the accepted values.
struct GenerateSettings: StageConfiguration {
  /// Nil for the policy that the model and `--tempnet` suggest.
  let policy: PolicySpecification?
  let maxTokens: Int
  let samples: Int
  let seed: Int
  let rules: SamplingRules
  let compute: ComputeOptions

  init(reading reader: inout ConfigurationReader) throws {
    let policy = try reader.optionalString("policy", help: "where each token's temperature comes from")
    maxTokens = try reader.integer("max_tokens", default: 128, in: 1...1 << 24, help: "tokens to generate, at most")
    samples = try reader.integer(
      "samples", default: 1, in: 1...Generator.mostSamples, help: "continuations of a prompt")
    seed = try reader.integer("seed", default: 1, in: 0...Int.max, help: "what the draws depend on")
    let adaptive = try reader.optionalNumber("adaptive_p", in: 0...1, help: "the mean probability of drawn tokens")
    let decay = try reader.number(
      "adaptive_decay", default: 0.9, in: AdaptiveProbability.decays, help: "how slowly its average forgets")
    rules = SamplingRules(
      topNSigma: try reader.optionalNumber(
        "top_n_sigma", in: .positive, help: "standard deviations"),
      topK: try reader.optionalInteger("top_k", in: 1...Int.max, help: "likeliest tokens"),
      topP: try reader.number("top_p", default: 1, in: .positive(upTo: 1), help: "probability of the likeliest tokens"),
      minP: try reader.number("min_p", default: 0, in: 0...1, help: "share of the likeliest token's probability"),
      hasEntropyEquilibrium: try reader.boolean("entropy_equilibrium", default: false, help: "EES"),
      adaptive: adaptive.map { AdaptiveProbability(target: $0, decay: decay) },
      order: try reader.choice("order", default: .temperatureFirst, help: "when logits are divided"))
    compute = try reader.computeOptions()
    self.policy = try policy.map { text in
      guard let specification = PolicySpecification(text) else {
        throw reader.failure("policy", "must be \(PolicySpecification.expectation), not '\(text)'")
      }
      return specification
    }
  }

  /// The rule of line starts, if that is the policy.
  func lineStart(_ tokenizer: Tokenizer) -> LineStartRule? {
    guard case .lineStarts(let high, let low) = policy else { return nil }
    let vocabulary = tokenizer.vocabulary
    return LineStartRule(LineStartTemperature(high: high, low: low)) { vocabulary.bytes(of: $0) }
  }

  /// - Parameter given: the options; nil for options that were not given.
  init(_ given: [ConfigurationOverride?]) throws {
    self = try Self.resolve(file: nil, overrides: given.compactMap { $0 }).values
  }
}
