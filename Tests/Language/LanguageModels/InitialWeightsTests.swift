import Foundation
import ModelDescriptions
import Testing
import Torch

@testable import LanguageModels

@Suite struct InitialWeightsTests {
  private let configuration = try! ModelConfiguration(vocabulary: 500, context: 16, width: 64, layers: 8, heads: 4)

  @Test func `matrices are as wide as GPT-2's, those into the residual stream narrower`() {
    let model = LanguageModel(configuration, seed: 11)
    for (parameter, description) in zip(model.parameters, configuration.parameters) {
      let values = parameter.tensor.doubles
      let deviation = sqrt(values.reduce(0) { $0 + $1 * $1 } / Double(values.count))
      let expected: Double =
        switch description.role {
        case .embedding, .weight: 0.02
        case .residualWeight: 0.02 / 4
        case .bias: 0
        case .normScale: 1
        }
      #expect(abs(deviation - expected) <= 0.06 * expected, "\(parameter.name): \(deviation)")
    }
  }

  @Test func `the seed decides the weights, whatever was drawn before`() {
    let first = LanguageModel(configuration, seed: 5).parameters.map(\.tensor.floats)
    _ = Tensor.normal([17])
    #expect(first == LanguageModel(configuration, seed: 5).parameters.map(\.tensor.floats))
    #expect(first != LanguageModel(configuration, seed: 6).parameters.map(\.tensor.floats))
  }

  @Test func `no two parameters start with the same numbers`() {
    let starts = LanguageModel(configuration, seed: 5).parameters.filter { $0.tensor.rank == 2 }
      .map { Array($0.tensor.floats.prefix(4)) }
    #expect(Set(starts).count == starts.count)
  }
}
