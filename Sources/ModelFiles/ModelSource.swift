import Artifacts
import Diagnostics

/// What a path to a model names.
public enum ModelSource: Sendable {
  /// An artifact, or a folder with the files of one.
  case own(String)
  case huggingFace(HuggingFaceFolder)
  case gguf(String)

  /// - Throws: `Failure` with `.missingInput` where there is nothing, `.badData` for what is no model.
  public init(_ path: String) throws {
    guard let status = try Files.status(path) else { throw Failure(.missingInput, "there is no such model", at: path) }
    guard status.isFolder else {
      guard try GGUFFile.isGGUF(path) else {
        throw Failure(
          .badData, "is neither a GGUF file nor a folder with a model (config.json and safetensors)", at: path)
      }
      self = .gguf(path)
      return
    }
    // Both forms call their configuration config.json; every published one states its model_type, also what
    // `tempnet-export` wrote, which is an artifact of another kind.
    let configuration = "\(path)/\(HuggingFaceFolder.configurationName)"
    let isPublished =
      Files.exists(configuration)
      ? try JSON(parsing: Files.read(configuration), source: configuration)["model_type"] != nil
      : !Files.exists("\(path)/\(Manifest.fileName)")
    self = isPublished ? .huggingFace(try HuggingFaceFolder(path)) : .own(path)
  }

  public var path: String {
    switch self {
    case .own(let path), .gguf(let path): path
    case .huggingFace(let folder): folder.path
    }
  }

  /// Whether the model was made elsewhere.
  public var isPublished: Bool { if case .own = self { false } else { true } }

  /// The files whose content identifies a published model: names relative to its path (empty for the path itself).
  public var files: [String] {
    switch self {
    case .own: [HuggingFaceFolder.configurationName, HuggingFaceFolder.weightsName]
    case .huggingFace(let folder): folder.files
    case .gguf: [""]
    }
  }
}
