import Artifacts
import ContrastiveLosses
import Diagnostics
import ImageTextModels
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch
import Training
import TrainingOptions
import Weights

/// Trains a dual encoder on pairs with a contrastive loss.
public enum ContrastStage {
  /// The per-sample states of the losses that have them, by position in the table of pairs.
  public static let statesFile = "states.safetensors"

  public static func run(_ request: StageRequest<Contrast>) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { try train(request, resolution, $0) }
  }

  /// - Returns: the summary.
  private static func train(
    _ request: StageRequest<Contrast>, _ resolution: Resolution, _ builder: ArtifactBuilder
  ) throws -> JSON {
    resolution.apply()
    let configuration = request.configuration
    if let note = configuration.budgetNote { Log.note(note) }
    if let warning = configuration.budgetWarning { Log.warning(warning) }
    let material = try ContrastMaterial(request, resolution)
    let task = try Failure.locating(material.path) {
      try ContrastTask(
        encoder: material.encoder, table: material.table, inputs: material.inputs, configuration,
        computeType: resolution.computeType)
    }
    let count = task.groups.flatMap(\.parameters).reduce(0) { $0 + $1.tensor.count }
    Log.note(
      "training \(abbreviated(Double(count))) parameters on \(task.dealer.count) pictures, \(task.steps) steps of "
        + "\(configuration.batch) pairs")
    let loop = try TrainingLoop(
      task, settings: configuration.loop(steps: task.steps), files: TrainingFiles(builder),
      stop: .standard(timeLimit: configuration.run.timeLimit))
    let result = try loop.run()
    let report = ContrastReport(
      task: task, table: material.table, inputs: material.inputs, configuration: configuration)
    try report.setScale()
    try save(task, builder)
    return try withoutGradients { try report.summary(result) }
  }

  private static func save(_ task: ContrastTask, _ builder: ArtifactBuilder) throws {
    try task.encoder.save(builder)
    if let networks = task.objective.networks {
      let published = withoutGradients { zip(EmbeddingSide.allCases, networks.map(\.published)).map { ($0, $1) } }
      try EmbeddingTempNetFile.write(published, to: builder.path(for: EmbeddingTempNetFile.name))
    }
    if let states = task.objective.states {
      let tensors = zip(EmbeddingSide.allCases, states).flatMap { side, state in
        state.tensors.map { (name: "\(side.rawValue).\($0.name)", tensor: $0.tensor) }
      }
      try SafetensorsWriter.write(tensors, to: builder.path(for: statesFile))
    }
  }
}

extension ContrastConfiguration {
  fileprivate func loop(steps: Int) -> LoopSettings {
    LoopSettings(
      steps: steps, seed: seed, optimiser: optimiser, validationInterval: validationInterval.steps(of: steps),
      logInterval: logInterval, selection: selection, run: run, checkInterval: 10)
  }
}
