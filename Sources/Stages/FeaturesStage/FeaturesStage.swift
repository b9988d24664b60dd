import Artifacts
import Diagnostics
import JSON
import LanguageModels
import StageDescriptions
import TempNet
import Tokenization
import Torch
import Training

/// Runs a frozen model over tokens once and writes a `features` artifact. Rows that an interrupted run has written stay.
public enum FeaturesStage {
  public static func run(_ request: StageRequest<Features>) throws -> Artifact {
    try run(request) { Interruption.isRequested }
  }

  /// - Parameter isInterrupted: asked after each batch.
  static func run(_ request: StageRequest<Features>, isInterrupted: () throws -> Bool) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { try makeFeatures(request, resolution, $0, isInterrupted) }
  }

  /// - Returns: the summary.
  private static func makeFeatures(
    _ request: StageRequest<Features>, _ resolution: Resolution, _ builder: ArtifactBuilder,
    _ isInterrupted: () throws -> Bool
  ) throws -> JSON {
    resolution.apply()
    let tokens = try TokensArtifact(request.inputs.artifact("tokens"))
    let source = request.inputs.model("model")
    let pretrained = try PretrainedModel.open(source.path)
    try tokens.checkVocabulary(
      of: source.path, ownTokenizer: source.tokenizerDigest, logits: pretrained.configuration.vocabulary)
    let model = try pretrained.load(device: resolution.device, computeType: resolution.computeType, isFrozen: true)
    let plan = try FeaturesPlan(request.configuration, model.configuration, tokens)

    let (weight, path) = (model.headFactor.to(.float32), try builder.path(for: FeaturesArtifact.headFile))
    let head = BackgroundValue(isConcurrent: resolution.threads > 1) {
      try Head.write(weight: weight, to: path)
    }
    try withoutGradients {
      try Failure.locating(source.path) { try extract(plan, model, builder, isInterrupted) }
    }
    try head.value()
    return plan.summary(model.configuration)
  }

  private static func extract(
    _ plan: FeaturesPlan, _ model: LanguageModel, _ builder: ArtifactBuilder, _ isInterrupted: () throws -> Bool
  ) throws {
    let pass = try PassProgress(
      "\(builder.checkpointsPath)/features.json", of: plan.batchCount, saving: .pieces(plan.checkpointInterval))
    let progress = Progress("features", unit: "tokens", total: plan.rows, alreadyDone: plan.rows(before: pass.done))
    var first = 0
    for work in plan.splits {
      let path = try builder.path(for: work.part.file)
      let table = try FeatureTable(
        path, rows: work.rows, width: model.configuration.width, grid: plan.grid, isContinued: pass.done > first)
      let end = first + work.batchCount
      try pass.advance(to: end, isInterrupted: isInterrupted, synchronise: table.synchronise) { batch in
        try work.perform(batch - first, model, into: table)
        progress.update(plan.rows(before: batch + 1))
      }
      try table.finish()
      first = end
    }
    progress.finish()
  }
}
