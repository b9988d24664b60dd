import Diagnostics

/// A published result of a stage: a folder with a manifest, never changed once it is there.
public struct Artifact: Sendable {
  /// How thoroughly `open` looks at the files.
  public enum Check: Sendable {
    /// Their sizes, which costs one look at the file system per file.
    case sizes
    /// Their sizes and their content.
    case digests
  }

  public let path: String
  public let manifest: Manifest

  public var key: String { manifest.key }
  public var summary: JSON { manifest.summary }

  /// Opens the artifact in a folder: checks the versions first, then sizes, then (if asked) digests.
  ///
  /// - Parameters:
  ///   - kind: the kind that is needed; nil accepts all.
  ///   - digests: a cache that spares files that were hashed before and have not changed since.
  /// - Throws: `Failure`: `.missingInput` where there is no such folder, `.badData` for whatever is wrong with it.
  public static func open(
    _ path: String, kind: ArtifactKind? = nil, check: Check = .sizes, digests: FileDigests? = nil
  ) throws -> Artifact {
    let artifact = Artifact(path: path, manifest: try Manifest(of: path))
    if let kind, artifact.manifest.kind != kind.name {
      throw Failure(
        .badData, "is an artifact of kind '\(artifact.manifest.kind)'; one of kind '\(kind.name)' is needed", at: path)
    }
    for file in artifact.manifest.files { try artifact.checkSize(file) }
    if check == .digests {
      for file in artifact.manifest.files { try artifact.checkDigest(file, digests) }
    }
    return artifact
  }

  public func contains(_ name: String) -> Bool { manifest.files.contains { $0.path == name } }

  /// The SHA-256 of one of the artifact's files, as the manifest states it; nil where it has no such file.
  public func digest(of name: String) -> String? { manifest.files.first { $0.path == name }?.sha256 }

  /// The path of one of the artifact's files.
  public func file(_ name: String) throws -> String {
    guard contains(name) else { throw Failure(.badData, "has no file '\(name)'", at: path) }
    return "\(path)/\(name)"
  }

  private func checkSize(_ file: Manifest.FileEntry) throws {
    let filePath = "\(path)/\(file.path)"
    guard let status = try Files.status(filePath), status.isRegular else {
      throw Failure(.badData, "the artifact lacks this file", at: filePath)
    }
    guard status.size == file.size else {
      throw Failure(.badData, "has \(status.size) bytes where the manifest says \(file.size)", at: filePath)
    }
  }

  private func checkDigest(_ file: Manifest.FileEntry, _ cache: FileDigests?) throws {
    let filePath = "\(path)/\(file.path)"
    let digest = try cache?.sha256(of: filePath) ?? SHA256.hex(ofFile: filePath)
    guard digest == file.sha256 else {
      throw Failure(.badData, "has the SHA-256 \(digest) where the manifest says \(file.sha256)", at: filePath)
    }
  }
}
