import Artifacts
import Diagnostics
import Files
import JSON
import LanguageEvaluation
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch

/// Writes a TempNet with its history, a language model or a dual encoder in a form that other tools read.
public enum ExportStage {
  static let weightsName = TempNetFile.name
  static let bundleName = "tempnet-bundle.tar.zst"
  static let onnxName = "tempnet.onnx"
  static let foldedName = "tempnet-folded.onnx"
  static let arraysName = "tempnet.npz"
  static let ggufName = "tempnet.gguf"
  static let modelFileName = "model.gguf"

  public static func run(_ request: StageRequest<Export>) throws -> Artifact {
    try request.make { try export(request, $0) }
  }

  /// - Returns: the summary.
  private static func export(_ request: StageRequest<Export>, _ builder: ArtifactBuilder) throws -> JSON {
    let format = request.configuration.format
    guard let tempnet = request.inputs.optionalArtifact("tempnet") else {
      let model = try model(request)
      if model.manifest.kind == ArtifactKind.dualEncoder.name {
        return try DualEncoderExport(model, request).write(format, builder)
      }
      guard [.huggingface, .gguf].contains(format) else {
        throw Failure(.usage, "is a language model, which has no form \(format.rawValue)", at: model.path)
      }
      if request.configuration.imageTower != nil || !request.inputs.artifacts("pairs").isEmpty {
        throw Failure(.usage, "is a language model, which has neither towers nor pairs", at: model.path)
      }
      return try ModelExport(model, format).write { try builder.path(for: $0) }
    }
    let measurements = request.inputs.optionalArtifact("evaluation")
    if let measurements, measurements.manifest.kind != ArtifactKind.evaluation.name {
      throw Failure(.usage, "measures retrieval; it goes with a dual encoder (--model)", at: measurements.path)
    }
    if let embeddings = try EmbeddingTempNetExport(tempnet) {
      return try embeddings.write(format) { try builder.path(for: $0) }
    }
    let weights = try TempNetFile.find(in: tempnet.path)
    // Loading checks every tensor and setting, so that no unusable TempNet is exported.
    let network = try TemperatureNetwork.load(weights)
    let evaluation = try measurements.map(EvaluationArtifact.init)
    if let evaluation { try evaluation.check(measures: tempnet) }
    let file: String
    switch format {
    case .huggingface, .openClip: preconditionFailure("a TempNet has no such form")
    case .gguf:
      let export = GGUFExport(network: network, tempnet: tempnet, evaluation: evaluation)
      if let model = request.inputs.optionalModel("model") {
        file = modelFileName
        try export.writeCopy(of: model.path, to: builder.path(for: file))
      } else {
        file = ggufName
        try export.writeAlone(to: builder.path(for: file))
      }
    case .safetensors:
      file = weightsName
      let origin = ["producer": "tempnet \(Release.version)", "tempnet_key": tempnet.key]
      switch request.configuration.variant {
      case .training: try network.save(builder.path(for: file), metadata: origin)
      case .inference: try network.saveForInference(builder.path(for: file), metadata: origin)
      }
    case .bundle:
      file = bundleName
      let card = ModelCard(settings: network.settings, tempnet: tempnet, evaluation: evaluation)
      try writeBundle(to: builder.path(for: file), weights: weights, card: card)
    case .onnx:
      file = onnxName
      try AtomicFile.write(OnnxExport(network: network).model(), to: builder.path(for: file))
      if let features = request.inputs.optionalArtifact("features"), network.settings.input != .hidden {
        try writeFolded(network, features, to: builder.path(for: foldedName))
      }
    case .npz:
      file = arraysName
      try NumpyArchive.write(
        network.parameters, texts: [("settings", settings(network).pretty)], to: builder.path(for: file))
    }
    return ["format": .string(format.rawValue), "file": .string(file), "tempnet": .string(tempnet.key)]
  }

  /// As strings, like those of the safetensors file's metadata.
  private static func settings(_ network: TemperatureNetwork) -> JSON {
    .object(JSONObject(network.settings.metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }

  /// With the unembedding that the features carry.
  private static func writeFolded(_ network: TemperatureNetwork, _ features: Artifact, to path: String) throws {
    let head = try FeaturesArtifact(features).head(on: .cpu)
    let settings = network.settings
    guard head.vocabulary == settings.vocabulary, [nil, head.width].contains(settings.width) else {
      throw Failure(
        .badData, "has shape \(head.weight.shape), so it is not the unembedding of the TempNet's model",
        at: head.place)
    }
    let model = withoutGradients {
      OnnxExport(network: network).foldedModel(unembedding: head.weight, bias: head.bias)
    }
    try AtomicFile.write(model, to: path)
  }

  private static func model(_ request: StageRequest<Export>) throws -> Artifact {
    let model = request.inputs.model("model")
    guard let artifact = model.artifact else {
      throw Failure(
        .badData, "has a published form already; only models that were trained here are exported", at: model.path)
    }
    return artifact
  }

  private static func writeBundle(to path: String, weights: String, card: ModelCard) throws {
    let archive = try ArchiveWriter(path)
    try archive.add("tempnet/README.md", card.text)
    try archive.add("tempnet/config.json", card.configuration.pretty)
    if let evaluation = card.evaluation { try archive.add("tempnet/\(MetricsFile.name)", evaluation.file.pretty) }
    try archive.add("tempnet/tempnet.py", PackageResources.tempnet_py)
    try archive.add("tempnet/\(weightsName)", file: weights)
    try archive.close()
  }
}
