import Generation
import Glibc
import Testing

@Suite struct SamplerTests {
  private let logits: [Float] = [1, 3, 2, 3, -1, 0]

  private func tokens(_ rules: SamplingRules, temperature: Double = 1) -> [Int32] {
    Candidates(logits, rules, temperature: temperature).tokens
  }

  @Test func `without rules all tokens are candidates`() {
    #expect(tokens(SamplingRules()) == [0, 1, 2, 3, 4, 5])
  }

  @Test func `the likeliest k are those that a whole sort would give`() {
    for k in 1...5 { #expect(tokens(SamplingRules(topK: k)) == [1, 3, 2, 0, 5, 4].prefix(k).map { $0 }) }
    let many = (0..<5000).map { Float(($0 * 7919) % 977) / 50 }
    let sorted = many.indices.sorted { many[$0] == many[$1] ? $0 < $1 : many[$0] > many[$1] }.map(Int32.init)
    for k in [1, 2, 10, 977, 4999] {
      #expect(Candidates(many, SamplingRules(topK: k)).tokens == Array(sorted.prefix(k)))
    }
  }

  @Test func `a share of the probability includes the token that reaches it`() {
    // e^0, e^0, e^-1, e^-2, e^-3, e^-4 over their sum: 0.389 0.389 0.143 0.053 0.019 0.007.
    #expect(tokens(SamplingRules(topP: 0.3)) == [1])
    #expect(tokens(SamplingRules(topP: 0.5)) == [1, 3])
    #expect(tokens(SamplingRules(topP: 0.9)) == [1, 3, 2])
    #expect(tokens(SamplingRules(topP: 0.93)) == [1, 3, 2, 0])
    // Of what the first cut left: 0.5 and 0.5.
    #expect(tokens(SamplingRules(topK: 2, topP: 0.9)) == [1, 3])
  }

  @Test func `the least share of the likeliest is kept`() {
    #expect(tokens(SamplingRules(minP: 0.36)) == [1, 3, 2])
    #expect(tokens(SamplingRules(minP: 0.37)) == [1, 3])
    #expect(tokens(SamplingRules(minP: 1)) == [1, 3])
  }

  @Test func `top-n-sigma keeps logits near the largest at any temperature`() {
    // Mean 4/3, variance 20/9, so a deviation of 1.491.
    for temperature in [0.1, 1, 10] {
      #expect(tokens(SamplingRules(topNSigma: 0.6), temperature: temperature) == [1, 3])
      #expect(tokens(SamplingRules(topNSigma: 0.7), temperature: temperature) == [1, 3, 2])
      #expect(tokens(SamplingRules(topNSigma: 1.4, topK: 3), temperature: temperature) == [1, 3, 2])
    }
    #expect(tokens(SamplingRules(topNSigma: 1.4)) == [1, 3, 2, 0])
    #expect(Candidates([0, 1, -.infinity], SamplingRules(topNSigma: 1)).tokens == [1])
  }

  @Test func `the entropy's equilibrium is where its share falls below the probability`() {
    for seed in 0..<20 {
      let logits = (0..<400).map { Float(($0 * 7919 + seed * 104_729) % 997) / Float(60 + 20 * seed) }
      let sorted = logits.indices.sorted { logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1] }
      let weights = sorted.map { exp(Double(logits[$0])) }
      let p = weights.map { $0 / weights.reduce(0, +) }
      let end = (2...400).first { k in
        let mass = p[..<k].reduce(0, +)
        return -p[..<k].reduce(0) { $0 + $1 / mass * log($1 / mass) } / log(Double(k)) < mass
      }
      let kept = Candidates(logits, SamplingRules(hasEntropyEquilibrium: true)).tokens
      // Where no prefix is below, all tokens stay, the likeliest first.
      #expect(kept == sorted.prefix(end.map { $0 - 1 } ?? 400).map(Int32.init))
    }
  }

  @Test func `adaptive-p draws tokens near its target, whatever the likeliest is`() {
    let candidates = Candidates(logits, SamplingRules())
    let draws = Draws(seed: 5)
    for target in [0.05, 0.14, 0.35] {
      var adaptive: AdaptiveProbability? = AdaptiveProbability(target: target)
      var sum = 0.0
      let own = logits.map { exp(Double($0)) }
      for position in 0..<4000 {
        let uniform = draws.uniform(sequence: 0, position: position)
        let token = candidates.draw(temperature: 1, uniform: uniform, adaptive: &adaptive).token
        sum += own[Int(token)] / own.reduce(0, +)
      }
      #expect(abs(sum / 4000 - target) < 0.04)
    }
  }

  @Test func `adaptive-p's first weights are those of its formula`() {
    // p of two tokens: 0.8 and 0.2; the aim is the target, 0.2, as nothing was drawn.
    var adaptive: AdaptiveProbability? = AdaptiveProbability(target: 0.2)
    let candidates = Candidates([Float(log(4.0)), 0], SamplingRules())
    let first = candidates.draw(temperature: 1, uniform: 0.999, adaptive: &adaptive)
    let weight = exp(-10 * 4.0 / 3)
    #expect(first.token == 1 && abs(first.logProbability - log(1 / (1 + weight))) < 1e-6)
    // 0.2 was drawn, so the aim stays; after 0.8 it would fall below.
    let second = candidates.draw(temperature: 1, uniform: 0.999, adaptive: &adaptive)
    #expect(second.token == 1 && abs(second.logProbability - first.logProbability) < 1e-6)
  }

  @Test func `cuts that keep many tokens keep the right ones`() {
    let many = (0..<5000).map { Float(($0 * 7919) % 4999) / 5000 }
    let sorted = many.indices.sorted { many[$0] == many[$1] ? $0 < $1 : many[$0] > many[$1] }.map(Int32.init)
    for rules in [SamplingRules(topP: 0.9), SamplingRules(minP: 0.6), SamplingRules(topK: 3000, topP: 0.8, minP: 0.5)] {
      var expected = Array(sorted.prefix(rules.topK ?? 5000))
      let weights = expected.map { exp(Double(many[Int($0)])) }
      let total = weights.reduce(0, +)
      var sum = 0.0
      if let last = weights.firstIndex(where: {
        sum += $0
        return sum >= rules.topP * total
      }), rules.topP < 1 {
        expected.removeSubrange((last + 1)...)
      }
      let top = Double(many.max()!)
      expected = expected.filter { exp(Double(many[Int($0)]) - top) >= rules.minP }
      #expect(Candidates(many, rules).tokens == expected)
    }
  }

  @Test func `cuts see the temperature when it comes first`() {
    #expect(tokens(SamplingRules(minP: 0.36), temperature: 2) == [1, 3, 2, 0])
    #expect(tokens(SamplingRules(topP: 0.9), temperature: 0.1) == [1, 3])
  }

  @Test func `draws follow the tempered probabilities`() {
    let candidates = Candidates(logits, SamplingRules(topK: 4))
    let draws = Draws(seed: 3)
    var counts: [Int32: Int] = [:]
    let total = 40_000
    for position in 0..<total {
      counts[
        candidates.draw(temperature: 0.8, uniform: draws.uniform(sequence: 0, position: position)).token, default: 0] +=
        1
    }
    let weights = [1: 1.0, 3: 1.0, 2: exp(-1 / 0.8), 0: exp(-2 / 0.8)]
    let sum = weights.values.reduce(0, +)
    for (token, weight) in weights {
      let (expected, found) = (weight / sum, Double(counts[Int32(token), default: 0]) / Double(total))
      // Four standard deviations.
      #expect(abs(found - expected) < 4 * sqrt(expected * (1 - expected) / Double(total)))
    }
  }

  @Test func `the logarithm of the probability is that of the distribution drawn from`() {
    let drawn = Candidates(logits, SamplingRules(topK: 3)).draw(temperature: 0.5, uniform: 0.99)
    #expect(drawn.token == 2)
    #expect(abs(drawn.logProbability - (-2 - log(2 + exp(-2)))) < 1e-12)
  }

  @Test func `every number in the unit interval draws a possible token`() {
    let candidates = Candidates([0, -.infinity, -1000], SamplingRules())
    for uniform in [0, 0.5, 1 - 0x1p-53] { #expect(candidates.draw(temperature: 1, uniform: uniform).token == 0) }
  }

  @Test func `draws depend on seed, sequence and position, and on nothing else`() {
    let draws = Draws(seed: 1)
    let all = (0..<50).flatMap { sequence in (0..<50).map { draws.uniform(sequence: sequence, position: $0) } }
    #expect(Set(all).count == 2500 && all.allSatisfy { (0..<1).contains($0) })
    #expect(abs(all.reduce(0, +) / 2500 - 0.5) < 0.03)
    #expect(draws.uniform(sequence: 7, position: 3) == Draws(seed: 1).uniform(sequence: 7, position: 3))
    #expect(draws.uniform(sequence: 7, position: 3) != Draws(seed: 2).uniform(sequence: 7, position: 3))
  }
}
