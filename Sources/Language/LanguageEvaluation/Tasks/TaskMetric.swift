import Glibc
import Statistics

/// The figures of lm-evaluation-harness 0.4.13, under its names.
public enum TaskMetric: String, CaseIterable, Sendable {
  /// The share of items whose right choice has the largest log-likelihood; without choices, of those whose target is the
  /// likeliest token at every position.
  case accuracy = "acc"
  /// As `acc`, with log-likelihoods per character of the choice, per byte, or less those without a context.
  case perCharacterAccuracy = "acc_norm"
  case perByteAccuracy = "acc_bytes"
  case mutualInformationAccuracy = "acc_mutual_info"
  /// The share of items whose right choice is the likeliest token at every position.
  case exactMatch = "exact_match"
  /// The squared distance of the softmax over the choices' log-likelihoods from the right choice.
  case brierScore = "brier_score"
  /// exp(-log-likelihood per **item**), which is not the perplexity per token.
  case perplexity
  /// exp(-log-likelihood per word), per byte, and the latter as a number of bits.
  case wordPerplexity = "word_perplexity"
  case bytePerplexity = "byte_perplexity"
  case bitsPerByte = "bits_per_byte"

  /// Whether more is better.
  public var isGain: Bool { isOfRightOrWrong }

  /// Whether a temperature can change the metric of items with such answers: it never changes which token is the likeliest.
  func dependsOnTemperature(_ answer: TaskAnswer) -> Bool {
    switch (self, answer) {
    case (.exactMatch, _), (.accuracy, .target): false
    default: true
    }
  }

  /// Whether an item's part is right or wrong.
  var isOfRightOrWrong: Bool {
    switch self {
    case .accuracy, .perCharacterAccuracy, .perByteAccuracy, .mutualInformationAccuracy, .exactMatch: true
    case .brierScore, .perplexity, .wordPerplexity, .bytePerplexity, .bitsPerByte: false
    }
  }

  /// The metrics of items with such answers.
  static func metrics(for item: TaskScores.Item) -> [TaskMetric] {
    switch item.answer {
    case .choice(_, let choices):
      [.accuracy, .perCharacterAccuracy, .perByteAccuracy]
        + (item.requests.count == 2 * choices.count ? [.mutualInformationAccuracy] : []) + [.exactMatch, .brierScore]
    case .target: [.perplexity, .accuracy, .bitsPerByte]
    case .page: [.wordPerplexity, .bytePerplexity, .bitsPerByte]
    }
  }
}

/// A figure as the ratio of two sums over items, brought to its scale.
struct TaskStatistic {
  let metric: TaskMetric
  /// By item.
  let numerators: [Double]
  let denominators: [Double]

  init(_ metric: TaskMetric, of items: [TaskScores.Item], policy: Int) {
    self.metric = metric
    numerators = items.map { item in
      ItemView(item: item, policy: policy).value(metric)
    }
    denominators = items.map { item in
      switch (metric, item.answer) {
      case (.wordPerplexity, .page(let size)): Double(size.words)
      case (.bytePerplexity, .page(let size)), (.bitsPerByte, .page(let size)): Double(size.bytes)
      case (.bitsPerByte, .target(let size)): Double(size.bytes)
      default: 1
      }
    }
  }

  /// Whether lm-evaluation-harness states a standard error of the metric.
  var hasStandardError: Bool { metric.isOfRightOrWrong || metric == .perplexity }

  /// The figure for two sums or means over the same items. Pages that are all empty ask for nothing, at no cost.
  func figure(_ numerator: Double, _ denominator: Double) -> Double {
    let ratio = denominator == 0 ? 0 : numerator / denominator
    return switch metric {
    case .perplexity, .wordPerplexity, .bytePerplexity: exp(-ratio)
    case .bitsPerByte: -ratio / log(2)
    default: ratio
    }
  }

  var figure: Double { figure(numerators.reduce(0, +), denominators.reduce(0, +)) }

  /// Numbers by item whose mean is the figure, and whose paired differences have the standard errors of differences in the
  /// figure to first order (the delta method): f + h'(r) (a_i - r b_i) n / Σ b for a figure f = h(r), r = Σ a / Σ b.
  var linearised: [Double] {
    let total = denominators.reduce(0, +)
    guard total > 0 else { return numerators.map { _ in figure } }
    let ratio = numerators.reduce(0, +) / total
    let slope: Double
    switch metric {
    case .perplexity, .wordPerplexity, .bytePerplexity: slope = -figure
    case .bitsPerByte: slope = -1 / log(2)
    // A mean over items is the mean of its parts.
    default: return numerators
    }
    let scale = slope * Double(numerators.count) / total
    return zip(numerators, denominators).map { figure + scale * ($0 - ratio * $1) }
  }

  /// The largest difference in the figure that counts as none.
  func margin(_ margins: ComparisonRules.Margins) -> Double {
    switch metric {
    case .accuracy, .perCharacterAccuracy, .perByteAccuracy, .mutualInformationAccuracy, .exactMatch: margins.accuracy
    case .brierScore: margins.calibration
    case .perplexity, .wordPerplexity, .bytePerplexity: figure * expm1(margins.loss)
    case .bitsPerByte: margins.loss / log(2)
    }
  }
}

/// One item's part in each figure.
private struct ItemView {
  let item: TaskScores.Item
  let policy: Int

  func value(_ metric: TaskMetric) -> Double {
    guard case .choice(let gold, let choices) = item.answer else {
      return metric == .accuracy ? (item.requests[0].isGreedy ? 1 : 0) : logLikelihood(0)
    }
    let scores = choices.indices.map(logLikelihood)
    func isRight(_ scores: [Double]) -> Double { likeliest(scores) == gold ? 1 : 0 }
    switch metric {
    case .perCharacterAccuracy: return isRight(zip(scores, choices).map { $0 / Double($1.characters) })
    case .perByteAccuracy: return isRight(zip(scores, choices).map { $0 / Double($1.bytes) })
    case .mutualInformationAccuracy:
      return isRight(choices.indices.map { logLikelihood($0) - logLikelihood(choices.count + $0) })
    case .exactMatch: return item.requests[gold].isGreedy ? 1 : 0
    case .brierScore: return squaredDistance(scores, from: gold)
    default: return isRight(scores)
    }
  }

  private func logLikelihood(_ request: Int) -> Double { item.requests[request].logLikelihoods[policy] }

  /// The first one on ties.
  private func likeliest(_ scores: [Double]) -> Int? { scores.max().flatMap { scores.firstIndex(of: $0) } }

  private func squaredDistance(_ scores: [Double], from gold: Int) -> Double {
    let weights = scores.map { exp($0 - scores.max()!) }
    let total = weights.reduce(0, +)
    return weights.enumerated().reduce(0) { sum, weight in
      let distance = weight.element / total - (weight.offset == gold ? 1 : 0)
      return sum + distance * distance
    }
  }
}
