import Artifacts
import Configuration
import Diagnostics
import Glibc

/// A pipeline as stores know it: its name, and the file that it was read from. Two pipelines may have one name, and
/// then they are told apart by their files.
public struct PipelineIdentity: Equatable, Sendable {
  public let name: String
  /// The file's real path: links are followed, so that it is the same from wherever and however the file is named. What
  /// came through a pipe has none; there it is a digest of the content.
  public let file: ExactString

  public init(name: String, file: ExactString) { (self.name, self.file) = (name, file) }

  /// - Parameters:
  ///   - source: the path of the file, as it was given.
  ///   - document: what was read from it.
  init(name: String, source: String, document: YAMLNode) {
    self.init(name: name, file: Self.file(source) ?? ExactString("content \(SHA256.hex(of: document.document))"))
  }

  /// The real path of what a path names.
  static func file(ofExisting path: String) -> ExactString { ExactString(realPath(path)) }

  /// Nil for pipes.
  private static func file(_ source: String) -> ExactString? {
    var status = stat()
    if stat(source, &status) == 0, status.st_mode & S_IFMT != S_IFREG { return nil }
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
    guard store != now.store, fileBesideStore == now.fileBesideStore else { return false }
    return !Files.exists(file.text) || Files.exists(store.text)
  }

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
    return spelt(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
  }
  guard !path.utf8.starts(with: "/".utf8), let folder = realpath(".", nil) else { return path }
  defer { free(folder) }
  return "\(spelt(UnsafeRawBufferPointer(start: folder, count: strlen(folder))))/\(path)"
}

private func spelt(_ bytes: UnsafeRawBufferPointer) -> String {
  if let text = String(validating: bytes, as: UTF8.self) { return text }
  let digits = Array("0123456789ABCDEF")
  return bytes.reduce(into: "") { text, byte in
    if byte < 0x80 {
      text.unicodeScalars.append(Unicode.Scalar(byte))
    } else {
      text += "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
  }
}

/// Names between slashes; a `.` and a `..` can only be in the path of something that does not exist.
private func components(_ path: String) -> [ExactString] {
  path.utf8.split(separator: UInt8(ascii: "/")).map { ExactString(String(Substring($0))) }
}
