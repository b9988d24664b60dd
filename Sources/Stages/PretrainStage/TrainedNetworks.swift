import Artifacts
import Diagnostics
import Glibc
import LanguageModels
import ModelDescriptions
import StageDescriptions
import TempNet
import TemperatureSettings
import Tokenization
import Torch
import Training

/// The model and the TempNet that a run trains, new or from an artifact, and the objective that joins them.
struct TrainedNetworks {
  let model: LanguageModel
  let tempnet: JointNetwork?
  let objective: TokenObjective
  let budget: RobustBudget

  /// - Parameters:
  ///   - vocabulary: of the tokens; a model to train further may have more logits.
  ///   - base: a model to train further.
  init(
    _ configuration: PretrainConfiguration, vocabulary: Int, base: BaseModel?, _ resolution: Resolution
  ) throws {
    let vocabulary = base?.pretrained.configuration.vocabulary ?? vocabulary
    let budget = try configuration.budget.budget(alternatives: vocabulary)
    self.budget = budget
    model = try configuration.model(vocabulary: vocabulary, base: base, resolution)
    for parameter in try configuration.trained(of: model) { parameter.tensor.requiringGradient() }
    if configuration.objective.trainsTempNet {
      tempnet = try configuration.tempnet(model.configuration, rho: budget.rho, base: base?.input.artifact, resolution)
    } else {
      tempnet = nil
    }
    objective = TokenObjective(
      temperature: configuration.temperature(tempnet), isRobust: configuration.objective.isRobust,
      targetEntropy: budget.targetEntropy, bounds: configuration.tauMin...configuration.tauMax)
  }
}

/// A model to train further: an artifact, or one made elsewhere.
struct BaseModel {
  let input: ModelInput
  let pretrained: PretrainedModel

  /// Opens the model and makes sure that it goes on learning from ids that mean what they meant to it so far.
  init(_ input: ModelInput, _ tokens: TokensArtifact) throws {
    self.input = input
    pretrained = try PretrainedModel.open(input.path)
    try tokens.checkVocabulary(
      of: input.path, ownTokenizer: input.tokenizerDigest, logits: pretrained.configuration.vocabulary)
  }
}

extension PretrainConfiguration {
  /// The parameters that are trained.
  fileprivate func trained(of model: LanguageModel) throws -> [NamedTensor] {
    guard let trainedBlocks else { return model.parameters }
    let layers = model.configuration.layers
    guard trainedBlocks <= layers else {
      throw Failure(
        .badConfiguration, "is \(trainedBlocks), but the model has \(layers) blocks", at: "train_last_blocks")
    }
    let blocks = Set((layers - trainedBlocks..<layers).map { "\($0)" })
    return model.parameters.filter { parameter in
      let path = parameter.name.split(separator: ".").map(String.init)
      return path[0] == "norm" || path[0] == "blocks" && blocks.contains(path[1])
    }
  }

  /// A new TempNet, or the one that a model to be trained further has, under the settings of this configuration.
  fileprivate func tempnet(
    _ model: ModelConfiguration, rho: Double, base: Artifact?, _ resolution: Resolution
  ) throws -> JointNetwork {
    let input = tempnet.input
    var settings = TempNetSettings(
      vocabulary: model.vocabulary, hidden: tempnet.hidden, tauMin: tauMin, tauMax: tauMax, rho: rho, input: input,
      width: input == .hidden ? model.width : nil, dropout: tempnet.dropout)
    if let base, base.contains(TempNetFile.name) {
      let network = try TemperatureNetwork.load(base.file(TempNetFile.name))
      try check(settings, agreeWith: network.settings, of: base.path)
      settings.normalisationEpsilon = network.settings.normalisationEpsilon
      return joint(TemperatureNetwork(settings, weightsOf: network), isTrained: true, resolution)
    }
    Seeds.seedGenerators(UInt64(seed), .initialisation, index: 0)
    return joint(TemperatureNetwork(settings), isTrained: false, resolution)
  }

  private func joint(
    _ network: TemperatureNetwork, isTrained: Bool, _ resolution: Resolution
  ) -> JointNetwork {
    let network = network.mapped { $0.to(resolution.device) }
    network.requireGradients()
    return JointNetwork(
      network, coordinates: tempnet.coordinates, isTrained: isTrained, computeType: resolution.computeType)
  }

  /// The same weights under other bounds, or fed otherwise, would give other temperatures; another rho or dropout only
  /// changes what they learn from here on.
  private func check(_ settings: TempNetSettings, agreeWith own: TempNetSettings, of path: String) throws {
    func refuse(_ key: String, _ wanted: some CustomStringConvertible, _ found: some CustomStringConvertible) throws {
      guard wanted.description != found.description else { return }
      throw Failure(.badConfiguration, "is \(wanted), but the TempNet of \(path) has \(found)", at: key)
    }
    try refuse("tau_min", settings.tauMin, own.tauMin)
    try refuse("tau_max", settings.tauMax, own.tauMax)
    try refuse("tempnet.input", settings.input.rawValue, own.input.rawValue)
    try refuse("tempnet.hidden", settings.hidden, own.hidden)
    guard own.inputSize == settings.inputSize else {
      throw Failure(
        .badData, "its TempNet reads \(own.inputSize) numbers, where this model has \(settings.inputSize)", at: path)
    }
    if abs(settings.rho - own.rho) > 1e-9 {
      Log.warning(
        "the TempNet of \(path) was trained with rho \(fixed(own.rho, digits: 4)); it goes on with "
          + fixed(settings.rho, digits: 4))
    }
  }

  fileprivate func temperature(_ tempnet: JointNetwork?) -> TokenObjective.Temperature {
    if let tempnet { return .network(tempnet) }
    return objective == .robustExact ? .exact : .fixed(temperature)
  }

  fileprivate func model(vocabulary: Int, base: BaseModel?, _ resolution: Resolution) throws -> LanguageModel {
    guard let base else {
      let shape = try ModelConfiguration(model, vocabulary: vocabulary, context: context)
      return LanguageModel(
        shape, seed: UInt64(seed), device: resolution.device, computeType: resolution.computeType)
    }
    let longest = base.pretrained.configuration.context
    guard context <= longest else {
      throw Failure(.badConfiguration, "is \(context), more than the \(longest) tokens of the model", at: "context")
    }
    return try base.pretrained.load(device: resolution.device, computeType: resolution.computeType)
  }
}

extension ModelConfiguration {
  /// The shape that a configuration asks for.
  fileprivate init(_ shape: ModelShape, vocabulary: Int, context: Int) throws {
    try self.init(
      vocabulary: vocabulary, context: context, width: shape.width, layers: shape.layers, heads: shape.heads,
      keyValueHeads: shape.keyValueHeads, headWidth: shape.headWidth, feedForward: shape.feedForward,
      norm: shape.norm, normEpsilon: shape.normEpsilon,
      positions: shape.positions, rotaryBase: shape.rotaryBase,
      rotaryFraction: shape.rotaryFraction, activation: shape.activation,
      biases: shape.biases, tiedHead: shape.tiedHead,
      parallelResidual: shape.parallelResidual, attention: shape.attention,
      dropout: shape.dropout, at: "model")
  }
}
