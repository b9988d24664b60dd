import Artifacts
import Diagnostics
import EncoderDescriptions
import Files
import ImageTextModels
import JSON
import StageDescriptions
import TempNet
import Torch

/// A dual encoder in the forms that other tools read.
struct DualEncoderExport {
  static let bundleName = "dual-encoder-bundle.tar.zst"
  /// The folder in a bundle.
  private static let bundleFolder = "dual-encoder"

  private let source: DualEncoderSource
  private let form: any DualEncoderForm

  init(_ artifact: Artifact, _ request: StageRequest<Export>) throws {
    source = try DualEncoderSource(artifact, request)
    switch source.encoder.configuration {
    case .heads(let heads): form = try HeadsForm(source, heads, request)
    case .towers(let towers):
      if request.configuration.imageTower != nil {
        throw Failure(
          .badConfiguration, "is for heads on frozen towers; \(artifact.path) has encoders of its own",
          at: "image_tower")
      }
      form = TowersForm(source, towers)
    }
  }

  /// - Returns: the summary.
  func write(_ format: ExportConfiguration.Format, _ builder: ArtifactBuilder) throws -> JSON {
    let content = try form.files(format)
    if let warning = source.scale.warning { Log.warning("\(source.artifact.path): \(warning)") }
    let names: [String]
    if format == .bundle {
      names = [Self.bundleName]
      let others = content.files + (try source.besides())
      try writeBundle([card(content.use, beside: others)] + others, builder)
    } else {
      let files = content.files + [card(content.use, beside: content.files)]
      names = files.map(\.name)
      for file in files { try file.write(builder.path(for: file.name)) }
    }
    return [
      "format": .string(format.rawValue), "file": .string(names[0]), "files": .array(names.map(JSON.string)),
      "dual_encoder": .string(source.artifact.key), "logit_scale": .number(source.scale.logarithm),
      "scale_from": .string(source.scale.origin.rawValue),
    ]
  }

  private func card(_ use: String, beside files: [ExportedFile]) -> ExportedFile {
    let holdsTempNets = files.contains { $0.name == EmbeddingTempNetFile.name }
    return .text("README.md", DualEncoderCard(source: source, form: form, holdsTempNets: holdsTempNets).text(use))
  }

  private func writeBundle(_ files: [ExportedFile], _ builder: ArtifactBuilder) throws {
    let bundle = try builder.path(for: Self.bundleName)
    let archive = try ArchiveWriter(bundle)
    for file in files {
      // Beside the archive; what an interruption leaves is not published.
      let path = "\(Files.folder(of: bundle))/\(file.name)"
      try file.write(path)
      try archive.add("\(Self.bundleFolder)/\(file.name)", file: path)
      try Files.remove(path)
    }
    try archive.close()
  }
}

/// The files of one format, and the lines that show how they are used.
struct DualEncoderContent {
  let files: [ExportedFile]
  /// Markdown.
  let use: String
}

/// What differs between heads on frozen towers and encoders of their own.
protocol DualEncoderForm {
  /// - Throws: `Failure(.usage)` for a format that the form does not have, with those that it has.
  func files(_ format: ExportConfiguration.Format) throws -> DualEncoderContent
  /// For the card: what the encoder is.
  var introduction: String { get }
  /// For the card: how pictures and captions become what it reads.
  var inputs: String { get }
}
