import Configuration
import Diagnostics
import Files
import Glibc
import JSON

/// The identity of a pipeline in a store: its name and its file. Pipelines of one name are told apart by their files. A
/// file whose pipeline is renamed stays the same pipeline.
public struct PipelineIdentity: Equatable, Sendable {
  public let name: String
  /// The file's real path, with links followed: it is the same however the file is named. For a pipeline that came
  /// through a pipe it is `pipe`, and the name alone identifies it.
  public let file: ExactString
  private static let pipe = ExactString("pipe")

  public init(name: String, file: ExactString) { (self.name, self.file) = (name, file) }

  /// - Parameter source: the path of the file, as it was given.
  init(name: String, source: String) { self.init(name: name, file: Self.file(source) ?? Self.pipe) }

  /// The real path of the file that a path names.
  static func file(ofExisting path: String) -> ExactString { ExactString(realPath(path)) }

  /// Nil for pipes, and for the nameless files in which some shells pass texts on.
  private static func file(_ source: String) -> ExactString? {
    var status = stat()
    if stat(source, &status) == 0, status.st_mode & S_IFMT != S_IFREG || status.st_nlink == 0 { return nil }
    return ExactString(realPath(source))
  }
}

/// The real paths of a pipeline's file and of the store at the time when a record was written.
struct RecordOrigin: Equatable, Sendable {
  let file: ExactString
  let store: ExactString

  init(file: ExactString, store: ExactString) { (self.file, self.store) = (file, store) }

  init(_ pipeline: PipelineIdentity, in store: Store) {
    self.init(file: pipeline.file, store: ExactString(realPath(store.path)))
  }

  /// Nil for a record of an earlier version, which has neither path.
  init?(_ json: JSON) {
    guard let file = json["file"]?.stringValue, let store = json["store"]?.stringValue else { return nil }
    self.init(file: ExactString(file), store: ExactString(store))
  }

  /// Whether two records are of the same pipeline: the files are the same, or lie at the same place relative to the
  /// store, because the folder that holds both was moved or copied as a whole. A store that was moved alone, away from
  /// a file that is still in its place, belongs to other pipelines.
  func isSame(as now: RecordOrigin) -> Bool {
    if file == now.file { return true }
    guard path != nil, now.path != nil, store != now.store, fileBesideStore == now.fileBesideStore else { return false }
    return !Files.exists(file.text) || Files.exists(store.text)
  }

  /// The file's path; nil where the pipeline has none.
  var path: String? { file.text.utf8.starts(with: "/".utf8) ? file.text : nil }

  /// The path from the store to the file.
  private var fileBesideStore: [ExactString] {
    let (file, store) = (components(file.text), components(store.text))
    let common = zip(file, store).prefix { $0 == $1 }.count
    return store.dropFirst(common).map { _ in ExactString("..") } + file.dropFirst(common)
  }
}

/// A path without links, `.` and `..`; a path to nothing only becomes absolute. Bytes that are not UTF-8 are written as
/// `\xE9`, so that different paths stay different.
private func realPath(_ path: String) -> String {
  if let resolved = realpath(path, nil) {
    defer { free(resolved) }
    return escapingInvalidUTF8(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
  }
  guard !path.utf8.starts(with: "/".utf8), let folder = realpath(".", nil) else { return path }
  defer { free(folder) }
  return "\(escapingInvalidUTF8(UnsafeRawBufferPointer(start: folder, count: strlen(folder))))/\(path)"
}

/// The names between slashes. Only the path of something that does not exist can have a `.` or `..`.
private func components(_ path: String) -> [ExactString] {
  path.utf8.split(separator: UInt8(ascii: "/")).map { ExactString(String(Substring($0))) }
}
