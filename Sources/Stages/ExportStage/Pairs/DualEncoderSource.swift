import Artifacts
import Diagnostics
import Files
import ImageTextModels
import JSON
import Pairs
import RetrievalEvaluation
import StageDescriptions
import TempNet
import TemperatureSettings

/// A dual encoder with what an export tells of it.
struct DualEncoderSource {
  let artifact: Artifact
  let encoder: DualEncoder
  let scale: ExportedScale
  /// The pairs that it was trained on, if they were given: where they come from, and how pictures became squares.
  let pairs: (artifact: Artifact, sources: [PairSource], fit: PictureFit?)?
  /// Its measurements, if they were given.
  let evaluation: Artifact?

  var metadata: [String: String] {
    ["producer": "tempnet \(Release.version)", "dual_encoder_key": artifact.key, "scale_from": scale.origin.rawValue]
  }

  init(_ artifact: Artifact, _ request: StageRequest<Export>) throws {
    self.artifact = artifact
    encoder = try DualEncoder.read(artifact)
    scale = ExportedScale(encoder.scale)
    pairs = try request.inputs.optionalArtifact("pairs").map { given in
      try Self.check(given, belongsTo: artifact)
      return (given, try PairsArtifact(given).sources(given), Self.fit(of: given))
    }
    evaluation = request.inputs.optionalArtifact("evaluation")
    if let evaluation { try Self.check(evaluation: evaluation, of: artifact) }
  }

  /// Heads state the embeddings that they were trained on, and not the pairs of those.
  private static func check(_ pairs: Artifact, belongsTo model: Artifact) throws {
    guard let stated = model.manifest.inputs.first(where: { $0.name == "pairs" }), stated.key != pairs.key else {
      return
    }
    throw Failure(.badData, "has the key \(pairs.key), but \(model.path) was trained on \(stated.key)", at: pairs.path)
  }

  private static func fit(of pairs: Artifact) -> PictureFit? {
    pairs.manifest.configuration["fit"]?.stringValue.flatMap(PictureFit.init)
  }

  private static func check(evaluation: Artifact, of model: Artifact) throws {
    guard evaluation.manifest.kind == ArtifactKind.retrieval.name else {
      throw Failure(
        .usage,
        "is an artifact of the kind \(evaluation.manifest.kind); a dual encoder's measurements are those of "
          + "tempnet-retrieve", at: evaluation.path)
    }
    guard evaluation.manifest.configuration["report"]?["pictures"] == "free" else {
      throw Failure(
        .badData,
        "its report shows pictures whatever their licence, so that it cannot be passed on; measure with "
          + "report.pictures=free", at: evaluation.path)
    }
  }

  /// What a bundle has besides the encoder: its TempNets, with modules that apply them, and its measurements.
  func besides() throws -> [ExportedFile] {
    var files: [ExportedFile] = []
    if hasTempNets { files.append(.copy(EmbeddingTempNetFile.name, of: try artifact.file(EmbeddingTempNetFile.name))) }
    if let evaluation {
      for name in [RetrievalFile.name, RetrievalReport.name] {
        files.append(.copy(name, of: try evaluation.file(name)))
      }
    }
    return files
  }

  var hasTempNets: Bool { Files.exists("\(artifact.path)/\(EmbeddingTempNetFile.name)") }

  /// Apply heads and TempNets with NumPy.
  static var modules: [ExportedFile] {
    [
      .bytes("dual_encoder.py", PackageResources.dual_encoder_py), .bytes("tempnet.py", PackageResources.tempnet_py),
    ]
  }
}
