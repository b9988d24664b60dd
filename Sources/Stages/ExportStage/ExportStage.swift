import Artifacts
import Diagnostics
import StageDescriptions
import TempNet
import Weights

/// Puts a fitted TempNet, together with where it comes from, or a language model into the form that other tools take.
public enum ExportStage {
  static let weightsName = "tempnet.safetensors"
  static let bundleName = "tempnet-bundle.tar.zst"

  public static func run(_ request: StageRequest<Export>) throws -> Artifact {
    let builder = try ArtifactBuilder(output: request.output, identity: request.identity([:]))
    if let artifact = builder.alreadyDone { return artifact }

    let format = request.configuration.format
    if format.isOfModel {
      let model = try needed("model", request)
      return try builder.publish(summary: ModelExport(model, format).write { try builder.path(for: $0) })
    }
    let tempnet = try needed("tempnet", request)
    let weights = try tempnet.file(weightsName)
    // Loading checks every tensor and setting: nothing is handed on that we could not use ourselves.
    let settings = try TemperatureNetwork.load(weights).settings
    switch format {
    case .huggingface, .gguf: preconditionFailure("a TempNet has no such form")
    case .safetensors:
      let origin = [
        "producer": "tempnet \(Release.version)", "tempnet_key": tempnet.key, "licence": "Apache-2.0",
      ]
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

  /// The input that a format is made of; a format that is made of the other is refused with it.
  private static func needed(_ name: String, _ request: StageRequest<Export>) throws -> Artifact {
    let format = request.configuration.format
    for other in ["tempnet", "evaluation", "model"] where (other == "model") != format.isOfModel {
      if request.inputs.optionalArtifact(other) != nil {
        throw Failure(.usage, "the format \(format.rawValue) is not made of --\(other)")
      }
    }
    guard let artifact = request.inputs.optionalArtifact(name) else {
      throw Failure(.usage, "the format \(format.rawValue) needs --\(name)")
    }
    return artifact
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
