import Configuration
import Diagnostics
import Files
import Glibc
import JSON

/// A pipeline as stores know it: its name, and the file that it was read from. Two pipelines may have one name, and
/// then they are told apart by their files; a file whose pipeline gets another name stays the same pipeline.
public struct PipelineIdentity: Equatable, Sendable {
  public let name: String
  /// The file's real path: links are followed, so that it is the same from wherever and however the file is named. What
  /// came through a pipe has none; there it is `pipe`, and the name alone tells which pipeline it is.
  public let file: ExactString
  private static let pipe = ExactString("pipe")

  public init(name: String, file: ExactString) { (self.name, self.file) = (name, file) }

  /// - Parameter source: the path of the file, as it was given.
  init(name: String, source: String) { self.init(name: name, file: Self.file(source) ?? Self.pipe) }

  /// The real path of what a path names.
  static func file(ofExisting path: String) -> ExactString { ExactString(realPath(path)) }

  /// Nil for pipes, and for files without a name, as which some shells pass texts on.
  private static func file(_ source: String) -> ExactString? {
    var status = stat()
    if stat(source, &status) == 0, status.st_mode & S_IFMT != S_IFREG || status.st_nlink == 0 { return nil }
    return ExactString(realPath(source))
  }
}

/// Where the file of a pipeline and the store lay when a record was written, both as real paths.
struct RecordOrigin: Equatable, Sendable {
  let file: ExactString
  let store: ExactString

  init(file: ExactString, store: ExactString) { (self.file, self.store) = (file, store) }

  init(_ pipeline: PipelineIdentity, in store: Store) {
    self.init(file: pipeline.file, store: ExactString(realPath(store.path)))
  }

  /// Nil for a record of an earlier version, which says neither.
  init?(_ json: JSON) {
    guard let file = json["file"]?.stringValue, let store = json["store"]?.stringValue else { return nil }
    self.init(file: ExactString(file), store: ExactString(store))
  }

  /// Whether the record is of the pipeline that this one is of: it has the same file; or the same place beside the
  /// store, where the folder that holds both was moved or copied as a whole. A store that was moved alone, away from a
  /// file that is still in its place, has come to other pipelines.
  func isSame(as now: RecordOrigin) -> Bool {
    if file == now.file { return true }
    guard path != nil, now.path != nil, store != now.store, fileBesideStore == now.fileBesideStore else { return false }
    return !Files.exists(file.text) || Files.exists(store.text)
  }

  /// The file's path; nil where it had none.
  var path: String? { file.text.utf8.starts(with: "/".utf8) ? file.text : nil }

  /// The path from the store to the file.
  private var fileBesideStore: [ExactString] {
    let (file, store) = (components(file.text), components(store.text))
    let common = zip(file, store).prefix { $0 == $1 }.count
    return store.dropFirst(common).map { _ in ExactString("..") } + file.dropFirst(common)
  }
}

/// A path without links, `.` and `..`; what does not exist keeps the path that it was given, as an absolute one. Bytes
/// that are no UTF-8 are spelt `\xE9`, so that no two paths become one.
private func realPath(_ path: String) -> String {
  if let resolved = realpath(path, nil) {
    defer { free(resolved) }
    return escapingInvalidUTF8(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
  }
  guard !path.utf8.starts(with: "/".utf8), let folder = realpath(".", nil) else { return path }
  defer { free(folder) }
  return "\(escapingInvalidUTF8(UnsafeRawBufferPointer(start: folder, count: strlen(folder))))/\(path)"
}

/// Names between slashes; a `.` and a `..` can only be in the path of something that does not exist.
private func components(_ path: String) -> [ExactString] {
  path.utf8.split(separator: UInt8(ascii: "/")).map { ExactString(String(Substring($0))) }
}
