import Diagnostics
import Files
import Glibc
import JSON
import Synchronization

/// SHA-256 digests of files, remembered between runs so that unchanged files need not be read again.
///
/// A digest is trusted while size, times, inode and device of the file are the same. Two changes within one tick of the
/// file system's clock give the same times. Therefore a digest is remembered only if the file's last change lies before
/// the tick in which hashing began: any later change then has a later time.
public final class FileDigests: Sendable {
  fileprivate struct Entry: Equatable {
    let status: FileStatus
    let sha256: String
  }

  private struct State {
    var entries: [ExactString: Entry] = [:]
    var changed = false
  }

  private static let formatVersion = 1
  private let cache: String?
  private let state: Mutex<State>

  /// - Parameter cache: the file that keeps digests between runs; nil keeps them for this run only. An unreadable cache
  ///   is replaced, since everything in it can be computed again.
  public init(cache: String? = nil) {
    self.cache = cache
    var state = State()
    if let cache, Files.exists(cache) {
      do {
        state.entries = try Self.read(cache)
      } catch {
        Log.warning("the cache of digests is begun anew: \(error)")
      }
    }
    self.state = Mutex(state)
  }

  /// The digest of a file's content.
  public func sha256(of path: String) throws -> String {
    guard let status = try Files.status(path) else { throw Failure.missing("file", at: path) }
    // A pipe or a device gives its bytes only once, but the file will be read again.
    guard status.isRegular else { throw Failure(.badData, "is not a regular file", at: path) }
    if let entry = state.withLock({ $0.entries[Self.name(path)] }), entry.status == status { return entry.sha256 }
    return try compute(path)
  }

  /// The digest of a file's content; for a folder, of the sorted list of the relative paths and digests in it.
  public func sha256(ofTree path: String) throws -> String {
    guard try Files.status(path)?.isFolder == true else { return try sha256(of: path) }
    return try sha256(of: Files.tree(path), below: path)
  }

  /// The digest of the list of relative paths, in their order, and digests; a file that is not there has none.
  public func sha256(of names: [String], below folder: String) throws -> String {
    var hasher = SHA256()
    for name in names {
      let path = "\(folder)/\(name)"
      let digest = try Files.status(path)?.isRegular == true ? sha256(of: path) : ""
      hasher.update("\(digest)  \(name)\0".utf8)
    }
    return hasher.hex()
  }

  private func compute(_ path: String) throws -> String {
    var now = timespec()
    // The clock that the kernel takes the times of files from.
    clock_gettime(CLOCK_REALTIME_COARSE, &now)
    let reader = try FileReader(path)
    let before = try reader.status
    let digest = try SHA256.hex(reading: reader)
    let isSettled = try reader.status == before && max(before.modified, before.changed) < now.nanoseconds
    let name = Self.name(path)
    state.withLock { state in
      let entry = isSettled ? Entry(status: before, sha256: digest) : nil
      if state.entries[name] != entry { state.changed = true }
      state.entries[name] = entry
    }
    return digest
  }

  /// A file's absolute path, because one cache may serve several working folders. Caches of earlier versions hold
  /// relative paths; one that names another file now is harmless, since the status differs.
  private static func name(_ path: String) -> ExactString {
    guard !path.utf8.starts(with: "/".utf8), let folder = getcwd(nil, 0) else { return ExactString(path) }
    defer { free(folder) }
    return ExactString("\(String(cString: folder))/\(path)")
  }

  /// Writes the cache if it has changed, merged with the entries that other processes added, without files that are gone.
  /// Does nothing where the folder cannot be written.
  public func save() throws {
    guard let cache, access(Files.folder(of: cache), W_OK) == 0 else { return }
    let entries = state.withLock { state -> [ExactString: Entry]? in
      defer { state.changed = false }
      return state.changed ? state.entries : nil
    }
    guard let entries = entries.map({ $0.merging((try? Self.read(cache)) ?? [:]) { own, _ in own } }) else { return }
    var files = JSONObject()
    for path in entries.keys.map(\.text).sorted() where Files.exists(path) {
      files[path] = entries[ExactString(path)].map(Self.json)
    }
    try AtomicFile.write(
      (["version": .integer(Self.formatVersion), "files": .object(files)] as JSON).pretty, to: cache)
  }

  private static func json(_ entry: Entry) -> JSON {
    [
      "size": .integer(entry.status.size), "modified": .integer(entry.status.modified),
      "changed": .integer(entry.status.changed), "inode": .integer(entry.status.inode),
      "device": .integer(entry.status.device), "sha256": .string(entry.sha256),
    ]
  }

  private static func read(_ cache: String) throws -> [ExactString: Entry] {
    var fields = try JSONFields(try JSON(parsing: try Files.read(cache), source: cache, for: .strict), source: cache)
    guard try fields.integer("version") == formatVersion else { throw fields.failure("version", "is not known") }
    var entries: [ExactString: Entry] = [:]
    for (path, json) in try fields.object("files") {
      var file = try JSONFields(json, source: cache, path: "files.\(path)")
      entries[name(path)] = try Entry(&file)
    }
    return entries
  }
}

extension FileDigests.Entry {
  fileprivate init(_ fields: inout JSONFields) throws {
    status = FileStatus(
      size: try fields.integer("size"), modified: try fields.integer("modified"),
      changed: try fields.integer("changed"), inode: try fields.integer("inode"), device: try fields.integer("device"))
    sha256 = try fields.string("sha256")
    guard SHA256.isHex(sha256) else { throw fields.failure("sha256", "is not a SHA-256 digest") }
    try fields.finish()
  }
}
