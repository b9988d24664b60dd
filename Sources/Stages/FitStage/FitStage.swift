import Artifacts
import Diagnostics
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch
import Training
import TrainingOptions

/// Fits a TempNet to a frozen model's features; the model itself is not needed.
public enum FitStage {
  public static func run(_ request: StageRequest<Fit>) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { try fit(request, resolution, $0) }
  }

  /// - Returns: the summary.
  private static func fit(
    _ request: StageRequest<Fit>, _ resolution: Resolution, _ builder: ArtifactBuilder
  ) throws -> JSON {
    resolution.apply()
    let features = FeaturesArtifact(request.inputs.artifact("features"))
    switch try features.description() {
    case .tokens:
      guard request.configuration.form == nil else {
        throw Failure(.badConfiguration, "is for features of images or texts; these are of tokens", at: "form")
      }
      return try fitTokens(request.configuration, features, resolution, builder)
    case .anchors(let description):
      guard let form = request.configuration.form else {
        let forms = EmbeddingTempNetSettings.Form.allCases.map(\.rawValue).joined(separator: " or ")
        throw Failure(
          .badConfiguration,
          "has to be given for features of \(description.kind): \(forms). Their network reads embeddings",
          at: "form")
      }
      return try fitAnchors(request.configuration, form, features, description, resolution, builder)
    }
  }

  private static func fitAnchors(
    _ configuration: FitConfiguration, _ form: EmbeddingTempNetSettings.Form, _ features: FeaturesArtifact,
    _ description: AnchorDescription, _ resolution: Resolution, _ builder: ArtifactBuilder
  ) throws -> JSON {
    let rows = try features.rows(of: .train, width: nil, on: resolution.device)
    let training = try AnchorRows(rows, description)
    let validation = try AnchorRows(
      features.rows(of: .validation, width: training.width, on: resolution.device), description)
    let summary = try fit(configuration, training, validation, builder, at: features.path) { rho in
      let settings = EmbeddingTempNetSettings(
        form: form, width: training.width, units: configuration.hidden, tauMin: configuration.tauMin,
        tauMax: configuration.tauMax, rho: rho, dropout: configuration.dropout)
      return AnchorFitNetwork(
        EmbeddingTemperatureNetwork(settings).mapped { $0.to(resolution.device) }, training: training,
        side: description.side, scale: description.scale)
    }
    return anchorSummary(summary, configuration, description, embeddings: features.embeddingsKey)
  }

  /// With the side, the key of the embeddings, the scale, and temperatures between rows of unit length, which are those of the file.
  private static func anchorSummary(
    _ summary: JSON, _ configuration: FitConfiguration, _ description: AnchorDescription, embeddings: String?
  ) -> JSON {
    guard var members = summary.objectValue else { preconditionFailure("a summary is an object") }
    let validation = summary[FitSummary.validation]
    func between(_ name: String) -> JSON {
      validation?[name]?.doubleValue.map { .number($0 / description.scale) } ?? .null
    }
    members["side"] = .string(description.side.rawValue)
    members["embeddings"] = embeddings.map(JSON.string)
    members["scale"] = .number(description.scale)
    members["between_unit_rows"] = [
      "tau_min": .number(configuration.tauMin / description.scale),
      "tau_max": .number(configuration.tauMax / description.scale),
      FitSummary.bestSingleTemperature: between(FitSummary.bestSingleTemperature),
      "mean_temperature": between("mean_temperature"),
    ]
    return .object(members)
  }

  private static func fitTokens(
    _ configuration: FitConfiguration, _ features: FeaturesArtifact, _ resolution: Resolution,
    _ builder: ArtifactBuilder
  ) throws -> JSON {
    let head = try features.head(on: resolution.device)
    func rows(of part: FeaturesArtifact.Part) throws -> TokenRows {
      try TokenRows(
        features.rows(of: part, width: head.width, on: resolution.device), head: head,
        method: configuration.method)
    }
    let training = try rows(of: .train)
    return try fit(configuration, training, rows(of: .validation), builder, at: features.path) { rho in
      let settings = TempNetSettings(
        vocabulary: head.vocabulary, hidden: configuration.hidden, tauMin: configuration.tauMin,
        tauMax: configuration.tauMax, rho: rho, input: configuration.input,
        width: configuration.input == .hidden ? head.width : nil, dropout: configuration.dropout)
      return TokenFitNetwork(
        TemperatureNetwork(settings).mapped { $0.to(resolution.device) }, training: training,
        computeType: resolution.computeType)
    }
  }

  /// Fits a network to rows of any kind and writes it.
  ///
  /// - Parameter network: makes one with fresh weights for a rho, at which it is trained.
  private static func fit<Network: FitNetwork>(
    _ configuration: FitConfiguration, _ training: Network.Rows, _ validation: Network.Rows,
    _ builder: ArtifactBuilder, at path: String, network: (_ rho: Double) throws -> Network
  ) throws -> JSON {
    try check(configuration.tauMin...configuration.tauMax, areCoveredBy: training.profile.grid, path)
    let rho = try rho(configuration.budget, training, path)
    _ = try RobustBudget(
      alternatives: min(training.leastAlternatives, validation.leastAlternatives), rho: rho, at: path)
    let entropy = training.entropies(rho: rho).mean
    Log.note("rho \(fixed(rho, digits: 4)): entropy \(fixed(entropy, digits: 4)) nats per \(training.kind.item)")

    Seeds.seedGenerators(UInt64(configuration.seed), .initialisation, index: 0)
    if configuration.objective.readsTemperatureOne && !training.profile.grid.bounds.contains(1) {
      throw Failure(
        .badConfiguration, "objective: \(configuration.objective.rawValue) needs profiles that cover temperature 1",
        at: path)
    }
    if configuration.objective.readsMeanLogits && !(training.hasMeanLogits && validation.hasMeanLogits) {
      throw Failure(
        .badConfiguration,
        "objective: \(configuration.objective.rawValue) needs the means of logits, which features of format version 1 lack; "
          + "make the features again", at: path)
    }
    let task = try FitTask(
      network(rho), configuration, training: training, validation: validation, rho: rho)
    let loop = try TrainingLoop(
      task, settings: loopSettings(configuration, steps: task.steps), files: TrainingFiles(builder),
      stop: .standard(timeLimit: configuration.run.timeLimit))
    let result = try loop.run()

    try task.network.save(builder.path(for: Network.file))
    let report = FitReport(
      rho: rho, bounds: task.network.bounds, validation: validation, entropy: entropy,
      predicted: task.validationTemperatures(), exact: task.exact)
    return withoutGradients { report.summary(result) }
  }

  private static func check(
    _ bounds: ClosedRange<Double>, areCoveredBy grid: TemperatureGrid, _ path: String
  ) throws {
    guard !grid.covers(bounds) else { return }
    let covered = grid.bounds
    throw Failure(
      .badConfiguration,
      "the temperatures \(bounds.lowerBound) to \(bounds.upperBound) exceed the features' profiles, which cover "
        + "\(fixed(covered.lowerBound, digits: 4)) to \(fixed(covered.upperBound, digits: 4)); make features with "
        + "wider tau_min and tau_max", at: path)
  }

  /// The rho that a configuration asks for. An entropy counts from the typical number of logits of a training row.
  private static func rho(
    _ budget: FitConfiguration.Budget, _ training: some FitRows, _ path: String
  ) throws -> Double {
    let alternatives = training.typicalAlternatives
    return switch budget {
    case .stated(let stated): try stated.budget(alternatives: alternatives).rho
    case .meanEntropy:
      try RobustBudget(
        alternatives: alternatives, entropy: meanEntropy(training.profile, path), at: "entropy: auto"
      ).rho
    }
  }

  /// The model's mean entropy at temperature 1 over the training features.
  private static func meanEntropy(_ profile: TemperatureProfile, _ path: String) throws -> Double {
    guard profile.grid.bounds.contains(1) else {
      throw Failure(.badConfiguration, "entropy: auto needs profiles that cover temperature 1", at: path)
    }
    return withoutGradients { profile.mean(at: 1).entropy.item }
  }

  private static func loopSettings(_ configuration: FitConfiguration, steps: Int) -> LoopSettings {
    LoopSettings(
      steps: steps, seed: configuration.seed, optimiser: configuration.optimiser,
      validationInterval: configuration.validationInterval.steps(of: steps), logInterval: max(1, min(10, steps / 20)),
      selection: configuration.selection, run: configuration.run, checkInterval: 10)
  }
}
