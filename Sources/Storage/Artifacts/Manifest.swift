import Diagnostics
import Files
import JSON

/// The content of `artifact.json`.
public struct Manifest: Equatable, Sendable {
  public struct Producer: Equatable, Sendable {
    public var program: String
    public var version: String
    public var stage: String
    public var stageVersion: Int
  }

  public struct FileEntry: Equatable, Sendable {
    /// Relative to the artifact's folder.
    public var path: String
    /// In bytes.
    public var size: Int
    public var sha256: String
  }

  /// The version of the manifest itself.
  public static let schemaVersion = 1
  public static let fileName = "artifact.json"

  public var kind: String
  public var formatVersion: Int
  public var producer: Producer
  public var key: String
  public var configuration: JSON
  public var resolution: JSON
  public var inputs: [InputReference]
  /// Sorted by the bytes of their paths.
  public var files: [FileEntry]
  public var summary: JSON

  init(_ identity: StageIdentity, files: [FileEntry], summary: JSON) {
    kind = identity.kind.name
    formatVersion = identity.kind.formatVersion
    producer = Producer(
      program: identity.program, version: Release.version, stage: identity.stage, stageVersion: identity.stageVersion)
    key = identity.key
    configuration = identity.configuration
    resolution = identity.resolution
    inputs = identity.inputs
    self.files = files
    self.summary = summary
  }
}

// MARK: Writing

extension Manifest {
  /// The file's text. Its last member is the SHA-256 of everything before that member's line.
  public var text: String {
    let json: JSON = [
      "schemaVersion": .integer(Self.schemaVersion), "kind": .string(kind), "formatVersion": .integer(formatVersion),
      "producer": [
        "program": .string(producer.program), "version": .string(producer.version), "stage": .string(producer.stage),
        "stageVersion": .integer(producer.stageVersion),
      ],
      "key": .string(key), "configuration": configuration, "resolution": resolution,
      "inputs": .array(inputs.map(\.json)),
      "files": .array(
        files.map { ["path": .string($0.path), "size": .integer($0.size), "sha256": .string($0.sha256)] }),
      "summary": summary,
    ]
    let start = String(json.pretty.dropLast("\n}\n".count)) + ",\n"
    return start + Self.closing(after: start.utf8)
  }

  /// The last lines of a manifest that starts with `start`.
  private static func closing(after start: some Sequence<UInt8>) -> String {
    "  \"digest\": \"\(SHA256.hex(of: start))\"\n}\n"
  }

  private static let closingLength = closing(after: []).utf8.count
}

// MARK: Reading

extension Manifest {
  /// Reads the manifest of the artifact in `folder`: first the versions, then the digest, then everything else.
  ///
  /// - Throws: `Failure`: `.missingInput` for a missing folder, `.badData` for any other fault.
  public init(of folder: String) throws {
    let path = "\(folder)/\(Self.fileName)"
    guard try Files.status(folder) != nil else { throw Failure(.missingInput, "there is no such artifact", at: folder) }
    guard try Files.status(path) != nil else {
      throw Failure(.badData, "is not an artifact: it has no \(Self.fileName)", at: folder)
    }
    try self.init(parsing: try Files.read(path, limit: 1 << 26), source: path)
  }

  init(parsing bytes: [UInt8], source: String) throws {
    let json = try JSON(parsing: bytes, source: source, for: .strict)
    var fields = try JSONFields(json, source: source)
    try Self.checkVersion(
      try fields.integer("schemaVersion"), of: "manifest", oldest: Self.schemaVersion, newest: Self.schemaVersion,
      source)
    kind = try fields.string("kind")
    formatVersion = try fields.integer("formatVersion")
    if let known = ArtifactKind.named(kind) {
      try Self.checkVersion(
        formatVersion, of: kind, oldest: known.oldestReadable, newest: known.formatVersion, source)
    }
    let start = bytes.dropLast(Self.closingLength)
    guard bytes[start.endIndex...].elementsEqual(Self.closing(after: start).utf8) else {
      throw Failure(.badData, "was changed after it was written: its digest differs", at: source)
    }
    _ = try fields.string("digest")
    producer = try Producer(&fields)
    key = try fields.string("key")
    configuration = try fields.value("configuration")
    resolution = try fields.value("resolution")
    inputs = try fields.list("inputs").map(InputReference.init)
    files = try fields.list("files").map(FileEntry.init)
    summary = try fields.value("summary")
    try fields.finish()
    try checkFiles(source)
  }

  private static func checkVersion(
    _ version: Int, of what: String, oldest: Int, newest: Int, _ source: String
  ) throws {
    if version > newest {
      throw Failure(
        .badData, "\(what) format \(version) is too new for tempnet \(Release.version), which reads up to \(newest)",
        at: source)
    }
    if version < oldest {
      throw Failure(
        .badData, "\(what) format \(version) is too old for tempnet \(Release.version), which reads from \(oldest)",
        at: source)
    }
  }

  private func checkFiles(_ source: String) throws {
    var previous: String?
    for file in files {
      guard Files.isPlainRelative(file.path), file.path != Self.fileName else {
        throw Failure(.badData, "a file may not be named '\(file.path)'", at: source)
      }
      if let previous, !previous.utf8.lexicographicallyPrecedes(file.path.utf8) {
        throw Failure(.badData, "files are not sorted: '\(file.path)' follows '\(previous)'", at: source)
      }
      previous = file.path
    }
  }
}

extension Manifest.Producer {
  fileprivate init(_ manifest: inout JSONFields) throws {
    var fields = try manifest.fields("producer")
    program = try fields.string("program")
    version = try fields.string("version")
    stage = try fields.string("stage")
    stageVersion = try fields.integer("stageVersion")
    try fields.finish()
  }
}

extension InputReference {
  fileprivate init(_ fields: JSONFields) throws {
    var fields = fields
    name = try fields.string("name")
    kind = try fields.string("kind")
    key = try fields.string("key")
    try fields.finish()
  }
}

extension Manifest.FileEntry {
  fileprivate init(_ fields: JSONFields) throws {
    var fields = fields
    path = try fields.string("path")
    size = try fields.integer("size")
    sha256 = try fields.string("sha256")
    guard size >= 0 else { throw fields.failure("size", "is negative") }
    guard SHA256.isHex(sha256) else { throw fields.failure("sha256", "is not a SHA-256 digest") }
    try fields.finish()
  }
}
