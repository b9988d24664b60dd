import Artifacts
import Diagnostics
import Files
import JSON
import StageDescriptions
import TempNet
import TemperatureSettings
import Torch
import Weights

/// The TempNets of images and texts of an artifact, in the forms that other tools read.
struct EmbeddingTempNetExport {
  private let tempnet: Artifact
  private let file: String
  private let networks: [(side: EmbeddingSide, network: EmbeddingTemperatureNetwork)]

  /// Nil for an artifact without such TempNets.
  init?(_ tempnet: Artifact) throws {
    let path = "\(tempnet.path)/\(EmbeddingTempNetFile.name)"
    guard Files.exists(path) else { return nil }
    self.tempnet = tempnet
    file = try tempnet.file(EmbeddingTempNetFile.name)
    let stored = try SafetensorsFile(file)
    let sides = EmbeddingSide.allCases.filter { stored["\(EmbeddingTempNetFile.prefix($0)).proj.weight"] != nil }
    guard !sides.isEmpty else { throw Failure(.badData, "holds the TempNet of neither side", at: file) }
    networks = try sides.map { ($0, try EmbeddingTempNetFile.read(path, side: $0)) }
  }

  private var settings: EmbeddingTempNetSettings { networks[0].network.settings }
  private var origin: [String: String] { ["producer": "tempnet \(Release.version)", "tempnet_key": tempnet.key] }

  /// - Parameter path: turns a file's name into the path to write it at.
  /// - Returns: the summary.
  func write(_ format: ExportConfiguration.Format, _ path: (String) throws -> String) throws -> JSON {
    var names: [String]
    switch format {
    case .safetensors:
      names = [EmbeddingTempNetFile.name]
      try EmbeddingTempNetFile.write(networks, metadata: origin, to: path(names[0]))
    case .npz:
      names = [ExportStage.arraysName]
      try NumpyArchive.write(
        networks.flatMap { $0.network.parameters(under: EmbeddingTempNetFile.prefix($0.side)) },
        texts: [("settings", JSON.texts(settings.metadata).pretty)], to: path(names[0]))
    case .onnx:
      names = networks.map { "\($0.side)-tempnet.onnx" }
      for (name, side) in zip(names, networks) {
        try AtomicFile.write(EmbeddingTempNetOnnx(network: side.network).model(), to: path(name))
      }
    case .bundle:
      names = [ExportStage.bundleName]
      try writeBundle(to: path(names[0]))
    case .gguf, .huggingface, .openClip:
      throw Failure(
        .usage, "a TempNet of images or texts has no form \(format.rawValue); take safetensors, npz, onnx or bundle",
        at: tempnet.path)
    }
    return [
      "format": .string(format.rawValue), "file": .string(names[0]), "files": .array(names.map(JSON.string)),
      "tempnet": .string(tempnet.key),
    ]
  }

  private func writeBundle(to path: String) throws {
    let archive = try ArchiveWriter(path)
    let card = EmbeddingTempNetCard(settings: settings, sides: networks.map(\.side), tempnet: tempnet)
    try archive.add("tempnet/README.md", card.text)
    try archive.add("tempnet/config.json", card.configuration.pretty)
    try archive.add("tempnet/tempnet.py", PackageResources.tempnet_py)
    try archive.add("tempnet/dual_encoder.py", PackageResources.dual_encoder_py)
    try archive.add("tempnet/\(EmbeddingTempNetFile.name)", file: file)
    try archive.close()
  }
}

extension JSON {
  /// An object of strings, in the order of their names.
  static func texts(_ texts: [String: String]) -> JSON {
    .object(JSONObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
  }
}
