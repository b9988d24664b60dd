import Glibc
import ModelDescriptions
import Torch

/// The initial weights of GPT-2 (Radford et al. 2019): matrices and embeddings from N(0, 0.02²); matrices that add to the
/// residual stream with a standard deviation divided by √(2 · layers), so that its variance does not grow with depth;
/// biases 0, norms 1.
enum InitialWeights {
  private static let standardDeviation = 0.02
  /// The stream of these draws, apart from others of the same seed ("model" in ASCII).
  private static let stream: UInt64 = 0x6D_6F64_656C

  /// The parameters of a configuration, each drawn from a generator of its own.
  static func parameters(_ configuration: ModelConfiguration, seed: UInt64) -> [NamedTensor] {
    configuration.parameters.enumerated().map { index, parameter in
      TorchRuntime.seed(seed, stream: stream, index: UInt64(index))
      return NamedTensor(parameter.name, initial(parameter, layers: configuration.layers))
    }
  }

  private static func initial(_ parameter: ParameterDescription, layers: Int) -> Tensor {
    switch parameter.role {
    case .embedding, .weight: .normal(parameter.shape, standardDeviation: standardDeviation)
    case .residualWeight:
      .normal(parameter.shape, standardDeviation: standardDeviation / sqrt(2 * Double(layers)))
    case .bias: .zeros(parameter.shape)
    case .normScale: .ones(parameter.shape)
    }
  }
}
