import Artifacts
import Diagnostics
import Files
import JSON
import ModelFiles

/// The content of the path that was given for an input.
enum OpenedInput: Sendable {
  case artifact(Artifact)
  /// A model from elsewhere, and the files that identify it.
  case published(ModelSource)
}

extension StageInput {
  /// Opens the artifact or model at a path.
  ///
  /// - Throws: `missingInput`; `badData` for content that this input does not take.
  func open(
    _ path: String, check: Artifact.Check = .sizes, _ digests: FileDigests? = nil
  ) throws -> OpenedInput {
    if takesPublishedModels {
      let source = try ModelSource(path)
      if source.isPublished { return .published(source) }
    }
    return .artifact(try Artifact.open(path, kinds: kinds, check: check, digests: digests))
  }

  /// The references that identify the input at a path: an artifact's key, or the digests of a published model's files.
  public func references(at path: String, _ digests: FileDigests) throws -> [InputReference] {
    try references(to: open(path), digests)
  }

  /// The vocabulary size in the `config.json` of the model at a path, ours or a published one. Nil without such a file,
  /// as for an artifact of another kind or a GGUF file.
  public func vocabulary(at path: String) throws -> Int? {
    let file = "\(path)/config.json"
    guard kind == .model, Files.exists(file) else { return nil }
    let json = try JSON(parsing: Files.read(file), source: file)
    return (json["vocab_size"] ?? json["vocabulary"])?.intValue
  }

  func references(to input: OpenedInput, _ digests: FileDigests) throws -> [InputReference] {
    switch input {
    case .artifact(let artifact): return [InputReference(name: name, kind: artifact.manifest.kind, key: artifact.key)]
    case .published(let source):
      let isRead = { (file: ModelSource.File) in
        readsTokenizer || !HuggingFaceFolder.tokenizerSupplements.contains(file.name)
      }
      return try source.files.filter(isRead).map { file in
        try RawInput(file.name.isEmpty ? name : "\(name)/\(file.name)", path: file.path).reference(digests)
      }
    }
  }
}

/// The model that a stage works on.
public struct ModelInput: Sendable {
  /// The path of an artifact, a folder or a file; `PretrainedModel.open` reads all three.
  public let path: String
  /// Nil for a model from elsewhere.
  public let artifact: Artifact?

  /// The SHA-256 of an artifact's `tokenizer.json`; nil where it has none.
  public var tokenizerDigest: String? { artifact?.digest(of: HuggingFaceFolder.tokenizerName) }
}
