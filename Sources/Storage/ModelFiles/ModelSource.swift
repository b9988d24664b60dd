import Artifacts
import Diagnostics
import Files
import JSON

/// The kinds of models that a path may name.
public enum ModelSource: Sendable {
  /// An artifact, or a folder with the files of one.
  case own(String)
  case huggingFace(HuggingFaceFolder)
  case gguf(String)

  /// - Throws: `Failure` with `.missingInput` where nothing exists, `.badData` for anything but a model.
  public init(_ path: String) throws {
    guard let status = try Files.status(path) else { throw Failure.missing("model", at: path) }
    guard status.isFolder else {
      guard try GGUFFile.isGGUF(path) else {
        throw Failure(
          .badData, "is neither a GGUF file nor a folder with a model (config.json and safetensors)", at: path)
      }
      self = .gguf(path)
      return
    }
    // Both forms have a config.json. A published one states its model_type; so does the result of `tempnet-export`, which is an
    // artifact of another kind.
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

  /// A file that a model is read from.
  public struct File: Equatable, Sendable {
    /// Its role; empty for a file that is the whole model.
    public let name: String
    public let path: String
  }

  /// The files whose content identifies a published model.
  public var files: [File] {
    func inFolder(_ names: [String], _ folder: String) -> [File] {
      names.map { File(name: $0, path: "\(folder)/\($0)") }
    }
    switch self {
    case .own(let path): return inFolder([HuggingFaceFolder.configurationName, HuggingFaceFolder.weightsName], path)
    case .huggingFace(let folder): return inFolder(folder.files, folder.path)
    case .gguf(let path):
      // By name alone: reading a file's metadata takes longer than the rest of a plan.
      let split = GGUFSplit(nameOf: path)
      let further = split.map { split in (1...split.count).filter { $0 != split.number }.map(split.part) } ?? []
      return [File(name: "", path: path)] + further.filter { Files.exists($0.path) }
    }
  }
}
