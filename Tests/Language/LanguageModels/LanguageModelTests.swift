import ModelDescriptions
import Testing
import Torch

@testable import LanguageModels

@Suite struct LanguageModelTests {
  @Test(arguments: Examples.all)
  func `gradients agree with finite differences`(_ configuration: ModelConfiguration) {
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [2, 9])
    let weights = Tensor.normal([2, 9, configuration.vocabulary]).to(.float64)
    func loss() -> Tensor { (model.logits(model.hiddenStates(tokens)).logSoftmax(-1) * weights).sum() }
    model.requireGradients()
    loss().backward()
    let step = 1e-5
    for parameter in model.parameters {
      let direction = Tensor.normal(parameter.tensor.shape).to(.float64)
      let slope = (parameter.tensor.gradient! * direction).sum().item
      let (above, below) = withoutGradients {
        parameter.tensor.add(direction, scale: step)
        let above = loss().item
        parameter.tensor.add(direction, scale: -2 * step)
        let below = loss().item
        parameter.tensor.add(direction, scale: step)
        return (above, below)
      }
      let measured = (above - below) / (2 * step)
      #expect(abs(measured - slope) <= 1e-5 * max(1, abs(slope)), "\(parameter.name): \(measured) and \(slope)")
    }
  }

  @Test(arguments: Examples.all)
  func `no token sees those after it`(_ configuration: ModelConfiguration) {
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [1, 10])
    let before = model.hiddenStates(tokens)[0..<1]
    var changed = tokens.integers
    changed[6] = (changed[6] + 1) % Int64(configuration.vocabulary)
    let after = model.hiddenStates(Tensor(changed, shape: [1, 10]))
    #expect(largestDifference(before.narrowed(1, 0..<6), after.narrowed(1, 0..<6)) < 1e-12)
    #expect(largestDifference(before.narrowed(1, 6..<10), after.narrowed(1, 6..<10)) > 1e-3)
  }

  @Test(arguments: Examples.all)
  func `with document attention each document is computed as if alone`(_ example: ModelConfiguration) {
    let configuration = example.with { $0.attention = .document }
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [2, 11])
    // The first row begins inside a document that goes on to its fourth token.
    let starts = Tensor([0, 0, 0, 0, 4, 4, 4, 4, 4, 9, 9] + [Int](repeating: 0, count: 11), shape: [2, 11])
    let hidden = model.hiddenStates(tokens, documentStarts: starts)
    for (row, range) in [(0, 0..<4), (0, 4..<9), (0, 9..<11), (1, 0..<11)] {
      let alone = model.hiddenStates(tokens[row..<(row + 1)].narrowed(1, range))
      let among = hidden[row..<(row + 1)].narrowed(1, range)
      #expect(largestDifference(alone, among) < 1e-10, "row \(row), tokens \(range)")
    }
  }

  @Test func `with window attention document boundaries change nothing`() {
    let model = widelyInitialised(Examples.llama)
    let tokens = randomTokens(Examples.llama, [1, 6])
    let starts = Tensor([0, 0, 0, 3, 3, 3], shape: [1, 6])
    #expect(model.hiddenStates(tokens, documentStarts: starts).doubles == model.hiddenStates(tokens).doubles)
  }

  @Test func `rotary attention depends on distances alone`() {
    let model = widelyInitialised(Examples.llama.with { $0.layers = 1 })
    let tokens = randomTokens(Examples.llama, [1, 8])
    // The same tokens as a document of their own, but three positions further on.
    let moved = Tensor.concatenate([randomTokens(Examples.llama, [1, 3], seed: 9), tokens], dimension: 1)
    let starts = Tensor([0, 0, 0] + [Int](repeating: 3, count: 8), shape: [1, 11])
    let own = LanguageModel(
      model.configuration.with { $0.attention = .document }, parameters: model.parameters, computeType: .float64)
    let there = own.hiddenStates(moved, documentStarts: starts).narrowed(1, 3..<11)
    #expect(largestDifference(there, model.hiddenStates(tokens)) < 1e-10)
  }

  @Test(arguments: Examples.all)
  func `windows of a batch do not touch each other`(_ configuration: ModelConfiguration) {
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [3, 7])
    let together = model.hiddenStates(tokens)
    for row in 0..<3 {
      let alone = model.hiddenStates(tokens[row..<(row + 1)])
      #expect(largestDifference(alone, together[row..<(row + 1)]) < 1e-12)
    }
  }

  @Test func `dropout acts in training only and follows the seed`() throws {
    let configuration = Examples.llama.with { $0.dropout = 0.3 }
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [1, 6])
    let evaluated = model.hiddenStates(tokens).doubles
    #expect(evaluated == model.hiddenStates(tokens).doubles)
    func trained(_ seed: UInt64) -> [Double] {
      TorchRuntime.seed(seed)
      return model.hiddenStates(tokens, training: true).doubles
    }
    let first = trained(1)
    #expect(first == trained(1))
    #expect(first != trained(2))
    #expect(first != evaluated)
  }

  @Test func `bfloat16 arithmetic stays near float32`() {
    let configuration = Examples.llama
    let full = LanguageModel(configuration, seed: 3)
    let half = LanguageModel(configuration, seed: 3, computeType: .bfloat16)
    let tokens = randomTokens(configuration, [2, 8])
    let (a, b) = (full.hiddenStates(tokens), half.hiddenStates(tokens))
    #expect(b.dtype == .float32)
    #expect(half.logits(b).dtype == .float32)
    #expect(largestDifference(a, b) / a.abs().mean().item < 0.05)
  }

  @Test func `a tied head is the embedding and counts once`() {
    let model = LanguageModel(Examples.gpt2, seed: 1)
    #expect(!model.parameters.contains { $0.name.hasPrefix("head") })
    model.requireGradients()
    let tokens = Tensor([1, 2, 3], shape: [1, 3])
    model.logits(model.hiddenStates(tokens)).sum().backward()
    // Token 9 was not read, so its row has a gradient from the head alone.
    #expect(model.headWeight.gradient![9..<10].abs().sum().item > 0)
    #expect(model.parameterCount == Examples.gpt2.parameterCount)
  }
}
