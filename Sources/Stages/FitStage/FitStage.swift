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
    let configuration = request.configuration
    let features = FeaturesArtifact(request.inputs.artifact("features"))
    let head = try features.head(on: resolution.device)
    let training = FeatureSplit(try features.rows(of: .train, head: head), head: head)
    let validation = FeatureSplit(try features.rows(of: .validation, head: head), head: head)
    let settings = try settings(configuration, training, head, features.path)

    Seeds.seedGenerators(UInt64(configuration.seed), .initialisation, index: 0)
    let task = FitTask(
      TemperatureNetwork(settings).mapped { $0.to(resolution.device) }, configuration, head: head, training: training,
      validation: validation, computeType: resolution.computeType)
    let loop = try TrainingLoop(
      task, settings: loopSettings(configuration, steps: task.steps), files: TrainingFiles(builder),
      stop: .standard(timeLimit: configuration.run.timeLimit))
    let result = try loop.run()

    try task.network.save(builder.path(for: TempNetFile.name))
    let report = FitReport(
      settings: settings, validation: validation, head: head, predicted: task.validationTemperatures(),
      exact: task.exact)
    return withoutGradients { report.summary(result) }
  }

  /// The network's settings, with the budget that the configuration asks for.
  private static func settings(
    _ configuration: FitConfiguration, _ training: FeatureSplit, _ head: Head, _ path: String
  ) throws -> TempNetSettings {
    let bounds = configuration.tauMin...configuration.tauMax
    guard training.profile.grid.covers(bounds) else {
      let covered = training.profile.grid.bounds
      throw Failure(
        .badConfiguration,
        "the temperatures \(bounds.lowerBound) to \(bounds.upperBound) exceed the features' profiles, which cover "
          + "\(fixed(covered.lowerBound, digits: 4)) to \(fixed(covered.upperBound, digits: 4)); make features with "
          + "wider tau_min and tau_max", at: path)
    }
    let vocabulary = head.vocabulary
    let budget =
      switch configuration.budget {
      case .stated(let stated): try stated.budget(alternatives: vocabulary)
      case .meanEntropy:
        try RobustBudget(
          alternatives: vocabulary, entropy: meanEntropy(training.profile, path), at: "entropy: auto")
      }
    Log.note("rho \(fixed(budget.rho, digits: 4)): entropy \(fixed(budget.entropy, digits: 4)) nats per token")
    let input = configuration.input
    return TempNetSettings(
      vocabulary: vocabulary, hidden: configuration.hidden, tauMin: bounds.lowerBound, tauMax: bounds.upperBound,
      rho: budget.rho, input: input, width: input == .hidden ? head.width : nil, dropout: configuration.dropout)
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
