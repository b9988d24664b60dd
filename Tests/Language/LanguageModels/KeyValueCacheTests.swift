import ModelDescriptions
import Testing
import Torch

@testable import LanguageModels

@Suite struct KeyValueCacheTests {
  @Test(arguments: Examples.all)
  func `tokens read in pieces have the hidden states of those read at once`(_ configuration: ModelConfiguration) {
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [2, 10])
    let whole = model.hiddenStates(tokens)
    for pieces in [[10], [4, 6], [1, 3, 1, 5], [Int](repeating: 1, count: 10)] {
      let cache = KeyValueCache(model, sequences: 2, capacity: 10)
      var start = 0
      for length in pieces {
        let range = start..<start + length
        let piece = withoutGradients { model.hiddenStates(tokens.narrowed(1, range), after: cache) }
        #expect(largestDifference(piece, whole.narrowed(1, range)) < 1e-10, "\(pieces), tokens \(range)")
        start += length
      }
      #expect(cache.length == 10)
    }
  }

  @Test func `a copy goes its own way`() {
    let model = widelyInitialised(Examples.llama)
    let tokens = randomTokens(Examples.llama, [1, 6])
    withoutGradients {
      let cache = KeyValueCache(model, capacity: 8)
      _ = model.hiddenStates(tokens.narrowed(1, 0..<5), after: cache)
      let copy = cache.copy()
      _ = model.hiddenStates(Tensor([1, 2], shape: [1, 2]), after: copy)
      let last = model.hiddenStates(tokens.narrowed(1, 5..<6), after: cache)
      #expect(largestDifference(last, model.hiddenStates(tokens).narrowed(1, 5..<6)) < 1e-10)
      #expect(cache.length == 6 && copy.length == 7)
    }
  }
}
