import Glibc
import RandomNumbers
import Torch

/// How the next token is chosen from a model's logits.
public struct SamplingRules: Equatable, Sendable {
  /// Where in the chain the logits are divided by the temperature.
  public enum Order: String, CaseIterable, Sendable {
    /// Before the cuts, as published: the cuts apply to the tempered distribution.
    case temperatureFirst = "temperature-first"
    /// After the cuts, as in llama.cpp: they apply to the model's own distribution, and a dynamic range to the tokens that they
    /// leave.
    case temperatureLast = "temperature-last"
  }

  /// First, tokens remain whose logit lies at most this number of standard deviations of all logits below the largest
  /// (top-n-sigma, arXiv 2411.07641); nil for all. No temperature changes this choice.
  public var topNSigma: Double?
  /// The number of likeliest tokens that remain; nil for all.
  public var topK: Int?
  /// Then the fewest likeliest tokens whose probabilities sum to at least this remain; 1 for all.
  public var topP: Double
  /// Then tokens with at least this share of the likeliest token's probability remain; 0 for all.
  public var minP: Double
  /// Whether only the tokens before the point remain where the entropy of the likeliest tokens, as a share of its greatest
  /// value, falls below their probability (EES, arXiv 2512.00789). The shares are those to which ``topP`` refers.
  public var hasEntropyEquilibrium: Bool
  /// The probability that drawn tokens are to have on average; nil leaves the probabilities as they are.
  public var adaptive: AdaptiveProbability?
  public var order: Order

  public init(
    topNSigma: Double? = nil, topK: Int? = nil, topP: Double = 1, minP: Double = 0, hasEntropyEquilibrium: Bool = false,
    adaptive: AdaptiveProbability? = nil, order: Order = .temperatureFirst
  ) {
    precondition(topNSigma ?? 1 > 0 && topK ?? 1 > 0 && 0 < topP && topP <= 1 && 0 <= minP && minP <= 1)
    (self.topNSigma, self.topK, self.topP, self.minP) = (topNSigma, topK, topP, minP)
    (self.hasEntropyEquilibrium, self.adaptive, self.order) = (hasEntropyEquilibrium, adaptive, order)
  }
}

/// Tokens that may be drawn: the likeliest first, equal ones by id; without cuts all tokens by id.
public struct Candidates: Equatable, Sendable {
  public let tokens: [Int32]
  public let logits: [Float]

  /// The candidates among logits [V].
  ///
  /// - Parameter temperature: the divisor of the logits in the cuts; 1 for the model's own distribution.
  public init(_ logits: [Float], _ rules: SamplingRules, temperature: Double = 1) {
    precondition(!logits.isEmpty && temperature > 0)
    tokens = Ranking(logits, temperature: temperature).tokens(rules)
    self.logits = tokens.map { logits[Int($0)] }
  }

  /// Draws one.
  ///
  /// - Parameters:
  ///   - temperature: the divisor of the logits.
  ///   - uniform: a number in [0, 1).
  ///   - adaptive: reshapes the probabilities, and learns which one was drawn.
  /// - Returns: the token, and the logarithm of the probability with which it is drawn.
  public func draw(
    temperature: Double, uniform: Double, adaptive: inout AdaptiveProbability?
  ) -> (token: Int32, logProbability: Double) {
    let top = Double(logits.max()!)
    let own = logits.map { exp((Double($0) - top) / temperature) }
    let ownTotal = own.reduce(0, +)
    let weights = adaptive?.weights(own, total: ownTotal) ?? own
    let total = weights.reduce(0, +)
    var left = uniform * total
    // Where rounding leaves a rest after the last token, the last token with a positive weight is drawn.
    var index = weights.lastIndex { $0 > 0 } ?? 0
    for (place, weight) in weights.enumerated() {
      left -= weight
      if left < 0 {
        index = place
        break
      }
    }
    adaptive?.hasDrawn(own[index] / ownTotal)
    return (tokens[index], log(weights[index] / total))
  }

  /// Draws one with the probabilities as they are.
  public func draw(temperature: Double, uniform: Double) -> (token: Int32, logProbability: Double) {
    var none: AdaptiveProbability?
    return draw(temperature: temperature, uniform: uniform, adaptive: &none)
  }
}

/// The order of tokens by their logits, sorted only as far as needed: sorting 49,152 tokens takes some 3 ms, a tenth of the
/// time in which a small model computes their logits.
private struct Ranking {
  let logits: [Float]
  let temperature: Double
  private let top: Double

  init(_ logits: [Float], temperature: Double) {
    (self.logits, self.temperature) = (logits, temperature)
    top = Double(logits.max()!)
  }

  func tokens(_ rules: SamplingRules) -> [Int32] {
    let near = rules.topNSigma.map { countWithin($0) } ?? logits.count
    let count = min(rules.topK ?? near, near)
    let cuts = rules.topP < 1 || rules.minP > 0 || rules.hasEntropyEquilibrium
    guard cuts else { return count < logits.count ? likeliest(count) : (0..<Int32(logits.count)).map { $0 } }
    // Ever more of the likeliest tokens, until the cuts fall among them.
    var tried = min(count, 256)
    while true {
      let chosen = likeliest(tried)
      if let cut = cut(chosen, rules, isAll: tried == count, total: total(rules, chosen, count)) { return cut }
      tried = min(count, 8 * tried)
    }
  }

  /// The number of logits that lie at most this number of standard deviations below the largest. Logits of -∞ do not
  /// count.
  private func countWithin(_ deviations: Double) -> Int {
    let finite = logits.lazy.filter(\.isFinite).map(Double.init)
    let (mean, count) = (finite.reduce(0, +) / Double(finite.count), Double(finite.count))
    let deviation = (finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    return logits.count { Double($0) >= top - deviations * deviation }
  }

  private func weight(_ token: Int32) -> Double { exp((Double(logits[Int(token)]) - top) / temperature) }

  /// The total weight of the `count` likeliest tokens, to which shares refer.
  private func total(_ rules: SamplingRules, _ chosen: [Int32], _ count: Int) -> Double {
    guard rules.topP < 1 || rules.hasEntropyEquilibrium else { return 0 }
    if chosen.count == count { return chosen.reduce(0) { $0 + weight($1) } }
    return (count == logits.count ? (0..<Int32(count)).map { $0 } : likeliest(count)).reduce(0) { $0 + weight($1) }
  }

  /// The tokens that the cuts leave; nil where the cuts fall beyond the chosen tokens.
  private func cut(_ chosen: [Int32], _ rules: SamplingRules, isAll: Bool, total: Double) -> [Int32]? {
    var kept = chosen[...]
    var isWithin = isAll
    if rules.hasEntropyEquilibrium, let end = equilibrium(chosen, total) {
      kept = kept[..<end]
      isWithin = true
    }
    if rules.topP < 1 {
      var sum = 0.0
      let last = chosen.firstIndex { token in
        sum += weight(token)
        return sum >= rules.topP * total
      }
      if let last {
        kept = kept.prefix(last + 1)
        isWithin = true
      } else if !isWithin && rules.minP == 0 {
        return nil
      }
    }
    if rules.minP > 0, let end = kept.firstIndex(where: { weight($0) < rules.minP }) {
      kept = kept[..<end]
      isWithin = true
    }
    return isWithin ? Array(kept) : nil
  }

  /// The first k from 2 on whose k likeliest tokens have an entropy, as a share of ln k, below their probability, less one:
  /// the number of tokens before it. Nil where there is none among the chosen tokens.
  private func equilibrium(_ chosen: [Int32], _ total: Double) -> Int? {
    var (sum, weighted) = (0.0, 0.0)
    for (index, token) in chosen.enumerated() {
      let weight = weight(token)
      sum += weight
      if weight > 0 { weighted += weight * log(weight) }
      let entropy = log(sum) - weighted / sum
      if index > 0, entropy / log(Double(index + 1)) < sum / total { return index }
    }
    return nil
  }

  /// The first `count` tokens in order.
  private func likeliest(_ count: Int) -> [Int32] {
    var tokens = (0..<Int32(logits.count)).map { $0 }
    if count < tokens.count {
      select(&tokens, count)
      tokens.removeSubrange(count...)
    }
    tokens.sort(by: isBefore)
    return tokens
  }

  private func isBefore(_ a: Int32, _ b: Int32) -> Bool {
    let (x, y) = (logits[Int(a)], logits[Int(b)])
    return x == y ? a < b : x > y
  }

  /// Brings the first `count` tokens in order to the front, in any order: Hoare's quickselect, with the middle as pivot.
  private func select(_ tokens: inout [Int32], _ count: Int) {
    var (low, high) = (0, tokens.count - 1)
    while low < high {
      let pivot = tokens[(low + high) / 2]
      var (left, right) = (low, high)
      while left <= right {
        while isBefore(tokens[left], pivot) { left += 1 }
        while isBefore(pivot, tokens[right]) { right -= 1 }
        guard left <= right else { break }
        tokens.swapAt(left, right)
        left += 1
        right -= 1
      }
      if count - 1 <= right { high = right } else if count - 1 >= left { low = left } else { return }
    }
  }
}

/// Uniform numbers that depend on seed, sequence and position alone, not on other sequences or earlier draws.
public struct Draws: Sendable {
  private let seed: UInt64

  public init(seed: UInt64) { self.seed = seed }

  /// In [0, 1).
  public func uniform(sequence: Int, position: Int) -> Double {
    Double(SplitMix64.mixed(seed, UInt64(sequence), UInt64(position)) >> 11) * 0x1p-53
  }
}
