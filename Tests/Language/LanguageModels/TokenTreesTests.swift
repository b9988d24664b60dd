import ModelDescriptions
import Testing
import Torch

@testable import LanguageModels

@Suite struct TokenTreesTests {
  /// Two rows of tokens: each with a beginning that goes on in several ways.
  ///
  ///     0 1 2 ┬ 3 4 ┬ 5      and      0 1 ┬ 2
  ///           │     └ 6                   └ 3 4
  ///           └ 7 8
  private static let positions = [[0, 1, 2, 3, 4, 5, 5, 3, 4], [0, 1, 2, 2, 3]]
  private static let ends = [[9, 9, 9, 7, 7, 6, 7, 9, 9], [5, 5, 3, 5, 5]]
  private static let paths = [
    (0, [0, 1, 2, 3, 4, 5]), (0, [0, 1, 2, 3, 4, 6]), (0, [0, 1, 2, 7, 8]), (1, [0, 1, 2]), (1, [0, 1, 3, 4]),
  ]

  @Test(arguments: Examples.all + [Examples.llama.with { $0.attention = .document }])
  func `each branch is computed as if it stood alone`(_ configuration: ModelConfiguration) {
    let model = widelyInitialised(configuration)
    let tokens = randomTokens(configuration, [2, 9])
    let trees = TokenTrees(positions: Self.positions, ends: Self.ends, length: 9, device: .cpu)
    #expect(trees.depth == 6)
    let hidden = model.hiddenStates(tokens, trees: trees)
    for (row, path) in Self.paths {
      let indices = Tensor(path)
      let alone = model.hiddenStates(tokens[row].selected(0, indices: indices).unsqueezed(0))
      #expect(largestDifference(alone[0], hidden[row].selected(0, indices: indices)) < 1e-10, "row \(row), \(path)")
    }
    #expect(hidden.allFinite().item == 1, "padding sees itself")
  }

  @Test func `a row may be longer than the context as long as no position is`() {
    let model = widelyInitialised(Examples.llama)
    let context = Examples.llama.context
    let positions = Array(0..<context) + [context - 1, context - 1]
    let ends = [Int](repeating: context + 2, count: context - 1) + [context, context + 1, context + 2]
    let trees = TokenTrees(positions: [positions], ends: [ends], length: context + 2, device: .cpu)
    let tokens = randomTokens(Examples.llama, [1, context + 2])
    let hidden = model.hiddenStates(tokens, trees: trees)
    let path = Tensor(Array(0..<context - 1) + [context + 1])
    let alone = model.hiddenStates(tokens[0].selected(0, indices: path).unsqueezed(0))
    #expect(largestDifference(alone[0], hidden[0].selected(0, indices: path)) < 1e-10)
  }
}
