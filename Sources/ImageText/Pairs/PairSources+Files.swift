import Diagnostics
import Files

extension PairSources {
  /// Files whose content identifies what a path holds.
  public struct IdentifyingFiles: Equatable, Sendable {
    /// What they are to the source, not where they lie.
    public let name: String
    /// Their folder; a single file where `files` is nil.
    public let path: String
    /// Relative to the folder.
    public let files: [String]?
  }

  /// The files that identify the content of a path: a descriptor itself, which states the digests of its files; every
  /// shard; for pictures that lie in a folder, all of them together.
  ///
  /// - Throws: `Failure(.missingInput)` for a path that does not exist, and what reading a table or JSON throws.
  public static func identifyingFiles(of path: String, _ options: Options) throws -> [IdentifyingFiles] {
    try ShardPattern.expanded(path).flatMap { try identifyingFiles(ofOne: $0, options) }
  }

  private static func identifyingFiles(ofOne path: String, _ options: Options) throws -> [IdentifyingFiles] {
    guard let status = try Files.status(path) else { throw Failure(.missingInput, "there are no such pairs", at: path) }
    let name = Files.name(of: path)
    if status.isFolder {
      let names = try VisibleFiles.paths(in: path)
      let archives = names.filter { PairForm(ofName: $0) == .archive }
      guard archives.isEmpty else {
        return (archives + (names.contains(classNamesFile) ? [classNamesFile] : [])).map {
          IdentifyingFiles(name: $0, path: "\(path)/\($0)", files: nil)
        }
      }
      return [IdentifyingFiles(name: "files", path: path, files: names)]
    }
    let own = IdentifyingFiles(name: name, path: path, files: nil)
    let form = PairForm(ofName: path)
    guard form == .table || form == .records else { return [own] }
    let index = try PairStream.index(path, isTable: form == .table, source: name, options)
    let root = options.imageRoot ?? Files.folder(of: path)
    let pictures = index.entries.compactMap { entry in
      IndexedPictures.path(of: entry.file, below: root).map {
        String(decoding: $0.utf8.dropFirst(root == "/" ? 1 : root.utf8.count + 1), as: UTF8.self)
      }
    }
    return [own, IdentifyingFiles(name: "\(name)/pictures", path: root, files: pictures)]
  }
}
