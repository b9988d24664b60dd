import Diagnostics
import Files
import JSON

/// A published result of a stage: a folder with a manifest, which never changes.
public struct Artifact: Sendable {
  /// The extent of `open`'s checks.
  public enum Check: Sendable {
    /// Sizes of files, at the cost of one system call per file.
    case sizes
    /// Sizes and digests of files.
    case digests
  }

  public let path: String
  public let manifest: Manifest

  public var key: String { manifest.key }
  public var summary: JSON { manifest.summary }

  /// Opens the artifact in a folder: checks the versions first, then sizes, then (if asked) digests.
  ///
  /// - Parameters:
  ///   - kinds: the accepted kinds; an empty list accepts all.
  ///   - digests: a cache, so that unchanged files need not be read again.
  /// - Throws: `Failure`: `.missingInput` for a missing folder, `.badData` for any other fault.
  public static func open(
    _ path: String, kinds: [ArtifactKind], check: Check = .sizes, digests: FileDigests? = nil
  ) throws -> Artifact {
    let artifact = try look(at: path, kinds: kinds)
    let mark = "\(path)/\(damageMark)"
    if Files.exists(mark) {
      let words = try Files.read(mark, limit: 1 << 16).split(separator: UInt8(ascii: "\n")).first ?? []
      throw Failure(.badData, "was found to be damaged: \(String(decoding: words, as: UTF8.self))", at: path)
    }
    if check == .digests { try artifact.notingDamage { try artifact.checkDigests(digests) } }
    return artifact
  }

  /// The file in an artifact's folder that states the damage found in it.
  public static let damageMark = "DAMAGED"

  /// Opens an artifact of one kind; nil accepts all kinds.
  public static func open(
    _ path: String, kind: ArtifactKind? = nil, check: Check = .sizes, digests: FileDigests? = nil
  ) throws -> Artifact {
    try open(path, kinds: kind.map { [$0] } ?? [], check: check, digests: digests)
  }

  /// Reads all files of an artifact again and compares them with its manifest.
  ///
  /// A note about damage that has been mended since is removed.
  ///
  /// - Throws: `Failure(.badData)` naming the file that differs.
  public static func verify(_ path: String, kind: ArtifactKind? = nil) throws -> Artifact {
    let artifact = try look(at: path, kinds: kind.map { [$0] } ?? [])
    try artifact.notingDamage { try artifact.checkDigests(nil) }
    try Files.remove("\(path)/\(damageMark)")
    return artifact
  }

  /// Notes damage that a check of the content finds, so that readers refuse the artifact until it is made anew.
  private func notingDamage(_ check: () throws -> Void) throws {
    do {
      try check()
    } catch let failure as Failure where failure.status == .badData {
      do {
        try AtomicFile.write("\(failure)\n", to: "\(path)/\(Self.damageMark)")
      } catch {
        Log.warning("the damage cannot be noted for the next run: \(error)")
      }
      throw failure
    }
  }

  /// Checks the versions, then the kind, then sizes, without reading the files.
  private static func look(at path: String, kinds: [ArtifactKind]) throws -> Artifact {
    let artifact = Artifact(path: path, manifest: try Manifest(of: path))
    if !kinds.isEmpty && !kinds.contains(where: { $0.name == artifact.manifest.kind }) {
      let needed = kinds.map { "'\($0.name)'" }.joined(separator: " or ")
      throw Failure(
        .badData, "is an artifact of kind '\(artifact.manifest.kind)'; one of kind \(needed) is needed", at: path)
    }
    for file in artifact.manifest.files { try artifact.checkSize(file) }
    return artifact
  }

  public func contains(_ name: String) -> Bool { manifest.files.contains { $0.path == name } }

  /// The SHA-256 of one of the artifact's files according to the manifest; nil for a file that it does not list.
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

  private func checkDigests(_ cache: FileDigests?) throws {
    for file in manifest.files {
      let filePath = "\(path)/\(file.path)"
      let digest = try cache?.sha256(of: filePath) ?? SHA256.hex(ofFile: filePath)
      guard digest == file.sha256 else {
        throw Failure(.badData, "has the SHA-256 \(digest) where the manifest says \(file.sha256)", at: filePath)
      }
    }
  }
}
