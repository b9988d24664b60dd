import Artifacts
import Diagnostics
import StageDescriptions
import TempNet
import Weights

/// Puts a fitted TempNet into the form that other tools take, together with where it comes from.
public enum ExportStage {
  static let weightsName = "tempnet.safetensors"
  static let bundleName = "tempnet-bundle.tar.zst"

  public static func run(_ request: StageRequest<Export>) throws -> Artifact {
    let builder = try ArtifactBuilder(output: request.output, identity: request.identity([:]))
    if let artifact = builder.alreadyDone { return artifact }

    let tempnet = request.inputs.artifact("tempnet")
    let weights = try tempnet.file(weightsName)
    // Loading checks every tensor and setting: nothing is handed on that we could not use ourselves.
    let settings = try TemperatureNetwork.load(weights).settings
    let format = request.configuration.format
    switch format {
    case .safetensors:
      let origin = ["producer": "tempnet \(Release.version)", "tempnet_key": tempnet.key]
      try TemperatureNetwork.load(weights).save(builder.path(for: weightsName), metadata: origin)
    case .bundle:
      let evaluation = try request.inputs.optionalArtifact("evaluation").map(MeasuredResults.init)
      if let evaluation { try evaluation.check(measures: tempnet) }
      let card = ModelCard(settings: settings, tempnet: tempnet, evaluation: evaluation)
      try writeBundle(to: builder.path(for: bundleName), weights: weights, card: card)
    }
    return try builder.publish(
      summary: [
        "format": .string(format.rawValue), "file": .string(format == .bundle ? bundleName : weightsName),
        "tempnet": .string(tempnet.key),
      ])
  }

  private static func writeBundle(to path: String, weights: String, card: ModelCard) throws {
    let archive = try ArchiveWriter(path)
    try archive.add("tempnet/README.md", card.text)
    try archive.add("tempnet/config.json", card.configuration.pretty)
    if let evaluation = card.evaluation { try archive.add("tempnet/metrics.json", evaluation.file.pretty) }
    try archive.add("tempnet/tempnet.py", PackageResources.tempnet_py)
    try archive.add("tempnet/\(weightsName)", file: weights)
    try archive.close()
  }
}
