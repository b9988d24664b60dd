import Artifacts
import Configuration
import Diagnostics
import Files

/// A data set as a descriptor such as `data/austen.yaml` states it: its origin and licence, and its files with their
/// splits. `data/README.md` explains the format.
///
/// `scripts/fetch-data` puts the files into `cache/NAME` beside the descriptor. This type only reads them.
public struct DataDescriptor: Sendable {
  public struct File: Equatable, Sendable {
    public let name: String
    /// A description for people.
    public let title: String?
    /// The name of the split that it belongs to; nil if the configuration decides.
    public let split: String?
    public let sha256: String
    /// In bytes.
    public let size: Int
  }

  /// The contents of the file.
  private struct Statement: StageConfiguration {
    let name: String
    let title: String
    let licence: String
    let origin: String
    let files: [YAMLNode]

    init(reading reader: inout ConfigurationReader) throws {
      name = try reader.string("name", help: "names the folder of the files")
      title = try reader.string("title", help: "what it is")
      licence = try reader.string("licence", help: "under which licence, and why")
      origin = try reader.string("origin", help: "where it comes from")
      // Only `scripts/fetch-data` uses packages and their extraction.
      _ = try reader.value("packages", as: .list(of: .yaml), default: [], help: "what to fetch")
      _ = try reader.optionalString("extract", help: "the program beside the descriptor that makes the files")
      _ = try reader.value("ci", as: .boolean, default: true, help: "whether scripts/test --all fetches it")
      files = try reader.value("files", as: .list(of: .yaml, atLeast: 1), default: nil, help: "the files, in order")
    }
  }

  private struct FileStatement: StageConfiguration {
    let file: File

    init(reading reader: inout ConfigurationReader) throws {
      file = File(
        name: try reader.string("file", help: "the file's name"),
        title: try reader.optionalString("title", help: "what it is"),
        split: try reader.optionalString("split", help: "its split"),
        sha256: try reader.string("sha256", help: "of its content"),
        size: try reader.integer("bytes", in: 0...Int.max, help: "its size"))
      _ = try reader.optionalString("from", help: "where it lies in the packages")
    }
  }

  public let path: String
  public let name: String
  public let title: String
  public let licence: String
  public let origin: String
  public let files: [File]

  /// Whether a path names a descriptor.
  public static func isDescriptor(_ path: String) -> Bool { YAMLSource.isName(path) }

  /// - Throws: `Failure(.badConfiguration)` with the line of the fault, `.missingInput` if there is no such file.
  public init(_ path: String) throws {
    let statement = try Statement.resolve(try YAMLSource.read(file: path)).values
    self.path = path
    name = statement.name
    title = statement.title
    licence = statement.licence
    origin = statement.origin
    files = try statement.files.map { try FileStatement.resolve($0).values.file }
    for name in [name] + files.map(\.name) where name.isEmpty || name.hasPrefix(".") || name.contains("/") {
      throw Failure(.badConfiguration, "'\(name)' cannot name a file", at: path)
    }
  }

  /// The descriptor at a path, or the descriptor of the data set that the path lies in; otherwise nil. A YAML file that
  /// states a licence is a descriptor.
  ///
  /// - Throws: as ``init(_:)``.
  public init?(mentionedAs named: String) throws {
    let path = DataCache.descriptor(ofDataAt: named) ?? named
    guard Self.isDescriptor(path), let node = try? YAMLSource.read(file: path), node["licence"] != nil else {
      return nil
    }
    try self.init(path)
  }

  /// The folder of the files, which need not exist.
  public var folder: String { DataCache.folder(of: name, besideDescriptor: path) }

  /// The path of one of the files, which need not exist.
  public func path(of file: File) -> String { "\(folder)/\(file.name)" }

  /// Whether the files exist and are not older than the descriptor. Their content is not read.
  public var isFetched: Bool {
    get throws {
      guard let data = try Files.status(folder), let own = try Files.status(path) else { return false }
      return own.modified <= data.changed
    }
  }

  /// Checks that all files exist and have the digests of the descriptor.
  ///
  /// - Throws: `Failure(.missingInput)` with the command that fetches the files, `.badData` for a file that differs.
  public func check(_ digests: FileDigests) throws {
    for file in files {
      let filePath = path(of: file)
      guard let status = try Files.status(filePath) else {
        throw Failure(
          .missingInput, "the data set '\(name)' is missing; get it with: \(DataCache.command(for: path))",
          at: filePath)
      }
      guard status.size == file.size, try digests.sha256(of: filePath) == file.sha256 else {
        throw Failure(
          .badData, "is not the file that \(path) describes; remove it and run: \(DataCache.command(for: path))",
          at: filePath)
      }
    }
  }
}
