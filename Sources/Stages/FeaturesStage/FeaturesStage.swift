import Artifacts
import Diagnostics
import Files
import JSON
import LanguageModels
import StageDescriptions
import TempNet
import Tokenization
import Torch
import Training

/// Writes a `features` artifact of tokens, which a frozen model reads once, or of embeddings. Rows that an interrupted run has
/// written stay.
public enum FeaturesStage {
  public static func run(_ request: StageRequest<Features>) throws -> Artifact {
    try run(request) { Interruption.isRequested }
  }

  /// - Parameter isInterrupted: asked after each batch.
  static func run(_ request: StageRequest<Features>, isInterrupted: () throws -> Bool) throws -> Artifact {
    let resolution = try Resolution(request.configuration.compute)
    return try request.make(resolution.json) { builder in
      resolution.apply()
      guard let side = request.configuration.side else {
        return try makeTokenFeatures(request, resolution, builder, isInterrupted)
      }
      let features = try AnchorFeatures(
        request.configuration, side: side, request.inputs.artifact("embeddings"), device: resolution.device)
      return try features.write(builder, isInterrupted: isInterrupted)
    }
  }

  /// - Returns: the summary.
  private static func makeTokenFeatures(
    _ request: StageRequest<Features>, _ resolution: Resolution, _ builder: ArtifactBuilder,
    _ isInterrupted: () throws -> Bool
  ) throws -> JSON {
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
      try Failure.locating(source.path) { try plan.pass(model).run(builder, isInterrupted: isInterrupted) }
    }
    try head.value()
    try AtomicFile.write(FeaturesDescription.tokens.json.pretty, to: builder.path(for: FeaturesDescription.file))
    return plan.summary(model.configuration)
  }
}
