import Artifacts
import Diagnostics
import Glibc
import LanguageModels
import StageDescriptions
import TempNet
import Torch
import Training
import Weights

/// The model and the TempNet that a run trains, new or from an artifact, and the objective that joins them.
struct Networks {
  let model: LanguageModel
  let tempnet: TemperatureNetwork?
  let objective: TokenObjective
  let rho: Double

  /// The file of a `model` artifact that holds a jointly trained TempNet.
  static let tempnetName = "tempnet.safetensors"

  /// - Parameter base: a model to train further.
  init(
    _ configuration: PretrainConfiguration, vocabulary: Int, base: Artifact?, _ resolution: Resolution
  ) throws {
    let rho = try configuration.robustness(vocabulary: vocabulary)
    self.rho = rho
    model = try configuration.model(vocabulary: vocabulary, base: base, resolution)
    model.requireGradients()
    if configuration.objective.trainsTempNet {
      let network = try configuration.tempnet(model.configuration, rho: rho, base: base)
        .mapped { $0.to(resolution.device) }
      network.requireGradients()
      tempnet = network
    } else {
      tempnet = nil
    }
    objective = TokenObjective(
      temperature: configuration.temperature(tempnet), isRobust: configuration.objective.isRobust,
      entropy: log(Double(vocabulary)) - rho, bounds: configuration.tauMin...configuration.tauMax)
  }
}

extension PretrainConfiguration {
  /// The robustness budget, refused with the feasible range where there is none for this vocabulary.
  func robustness(vocabulary: Int) throws -> Double {
    if let entropy { return try RobustLoss.rho(entropy: entropy, vocabulary: vocabulary, at: "entropy") }
    guard let rho else { preconditionFailure("a configuration has rho or entropy") }
    try RobustLoss.check(rho: rho, vocabulary: vocabulary, at: "rho")
    return rho
  }

  /// A new TempNet, or the one that a model to be trained further has, under the settings of this configuration.
  fileprivate func tempnet(_ model: ModelConfiguration, rho: Double, base: Artifact?) throws -> TemperatureNetwork {
    let input = TempNetSettings.Input(rawValue: tempnet.input.rawValue)!
    let settings = TempNetSettings(
      vocabulary: model.vocabulary, hidden: tempnet.hidden, tauMin: tauMin, tauMax: tauMax, rho: rho, input: input,
      width: input == .hidden ? model.width : nil, dropout: tempnet.dropout)
    if let base, base.contains(Networks.tempnetName) {
      return try TemperatureNetwork(settings, weights: SafetensorsFile(base.file(Networks.tempnetName)))
    }
    Seeds.seedMachine(UInt64(seed), .initialisation, index: 0)
    return TemperatureNetwork(settings)
  }

  fileprivate func temperature(_ tempnet: TemperatureNetwork?) -> TokenObjective.Temperature {
    if let tempnet { return .network(tempnet) }
    return objective == .robustExact ? .exact : .fixed(temperature)
  }

  fileprivate func model(vocabulary: Int, base: Artifact?, _ resolution: Resolution) throws -> LanguageModel {
    guard let base else {
      let shape = try ModelConfiguration(model, vocabulary: vocabulary, context: context)
      return LanguageModel(
        shape, seed: UInt64(seed), device: resolution.device, arithmetic: resolution.arithmetic)
    }
    guard try model == ModelShape.standard else {
      throw Failure(.badConfiguration, "the model that is trained further has a shape of its own", at: "model")
    }
    let model = try LanguageModel.load(base.path, device: resolution.device, arithmetic: resolution.arithmetic)
    guard model.configuration.vocabulary == vocabulary else {
      throw Failure(
        .badData, "has \(model.configuration.vocabulary) logits, the tokens a vocabulary of \(vocabulary)",
        at: base.path)
    }
    guard context <= model.configuration.context else {
      throw Failure(
        .badConfiguration, "is \(context), more than the \(model.configuration.context) tokens of the model",
        at: "context")
    }
    return model
  }
}

extension ModelConfiguration {
  /// The shape that a configuration asks for; the words of its choices are the same there.
  fileprivate init(_ shape: ModelShape, vocabulary: Int, context: Int) throws {
    try self.init(
      vocabulary: vocabulary, context: context, width: shape.width, layers: shape.layers, heads: shape.heads,
      keyValueHeads: shape.keyValueHeads, headWidth: shape.headWidth, feedForward: shape.feedForward,
      norm: Norm(rawValue: shape.norm.rawValue)!, normEpsilon: shape.normEpsilon,
      positions: Positions(rawValue: shape.positions.rawValue)!, rotaryBase: shape.rotaryBase,
      rotaryFraction: shape.rotaryFraction, activation: Activation(rawValue: shape.activation.rawValue)!,
      biases: Biases(rawValue: shape.biases.rawValue)!, tiedHead: shape.tiedHead,
      parallelResidual: shape.parallelResidual, attention: Attention(rawValue: shape.attention.rawValue)!,
      dropout: shape.dropout, at: "model")
  }
}
