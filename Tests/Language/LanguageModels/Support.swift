import ModelDescriptions
import RandomNumbers
import Testing
import Torch

@testable import LanguageModels

/// The largest absolute difference between two tensors of one shape.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Double {
  #expect(a.shape == b.shape)
  return zip(a.doubles, b.doubles).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// Random token ids below the model's vocabulary.
func randomTokens(_ configuration: ModelConfiguration, _ shape: [Int], seed: UInt64 = 1) -> Tensor {
  var generator = SplitMix64(seed: seed)
  let ids = (0..<shape.reduce(1, *)).map { _ in Int.random(in: 0..<configuration.vocabulary, using: &generator) }
  return Tensor(ids, shape: shape)
}

/// A model in float64 with weights wide enough that every part shows in the output.
func widelyInitialised(_ configuration: ModelConfiguration, seed: UInt64 = 7) -> LanguageModel {
  let parameters = configuration.parameters.enumerated().map { index, parameter in
    TorchRuntime.seed(seed, stream: 0, index: UInt64(index))
    let noise = Tensor.normal(parameter.shape, standardDeviation: 0.3).to(.float64)
    return NamedTensor(parameter.name, parameter.role == .normScale ? noise + 1 : noise)
  }
  return LanguageModel(configuration, parameters: parameters, computeType: .float64)
}

/// Small configurations that between them use every option.
enum Examples {
  static let gpt2 = try! ModelConfiguration(
    vocabulary: 23, context: 12, width: 16, layers: 2, heads: 4, positions: .learned, activation: .geluTanh,
    tiedHead: true)
  static let llama = try! ModelConfiguration(
    vocabulary: 23, context: 12, width: 16, layers: 2, heads: 4, keyValueHeads: 2, feedForward: 24, norm: .rms,
    activation: .swiglu, biases: .none)
  static let neox = try! ModelConfiguration(
    vocabulary: 23, context: 12, width: 16, layers: 2, heads: 2, rotaryFraction: 0.25, parallelResidual: true)
  static let plain = try! ModelConfiguration(
    vocabulary: 23, context: 12, width: 12, layers: 1, heads: 2, headWidth: 4, norm: .layer, biases: .queryKeyValue)
  static let all = [gpt2, llama, neox, plain]
}

extension ModelConfiguration {
  func with(_ change: (inout ModelConfiguration) -> Void) -> ModelConfiguration {
    var copy = self
    change(&copy)
    return copy
  }
}
