import Diagnostics
import Glibc

/// The status of a file or folder in the file system.
public struct FileStatus: Equatable, Sendable {
  public let isRegular: Bool
  public let isFolder: Bool
  /// In bytes.
  public let size: Int
  public let inode: Int
  public let device: Int
  /// Nanoseconds since 1970 of the last change of content.
  public let modified: Int
  /// Nanoseconds since 1970 of the last change of content, name, owner or mode; programs cannot set this time.
  public let changed: Int

  init(_ status: stat) {
    isRegular = status.st_mode & S_IFMT == S_IFREG
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    size = Int(status.st_size)
    inode = Int(truncatingIfNeeded: status.st_ino)
    device = Int(truncatingIfNeeded: status.st_dev)
    modified = status.st_mtim.nanoseconds
    changed = status.st_ctim.nanoseconds
  }

  /// The status of a regular file, as it was noted earlier.
  package init(size: Int, modified: Int, changed: Int, inode: Int, device: Int) {
    isRegular = true
    isFolder = false
    self.size = size
    self.inode = inode
    self.device = device
    self.modified = modified
    self.changed = changed
  }
}

extension timespec {
  package var nanoseconds: Int { tv_sec * 1_000_000_000 + tv_nsec }
}

/// Files and folders by path; every error of the system becomes a `Failure` that names the path.
public enum Files {
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Follows links. Nil where nothing of that name exists.
  public static func status(_ path: String) throws -> FileStatus? {
    var status = stat()
    if stat(path, &status) == 0 { return FileStatus(status) }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw Failure.system("cannot look at it", path)
  }

  /// A whole file.
  ///
  /// - Parameter limit: the largest file that is read, in bytes; far above every file that is meant to be read like this.
  /// - Throws: `Failure(.badData)` for a larger one.
  public static func read(_ path: String, limit: Int = 1 << 28) throws -> [UInt8] {
    let reader = try FileReader(path)
    let size = try reader.size
    guard size <= limit else {
      throw Failure(.badData, "has \(size) bytes, more than the \(limit) that such a file may have", at: path)
    }
    var bytes = [UInt8](unsafeUninitializedCapacity: size) { _, count in count = 0 }
    while case let chunk = try reader.read(upTo: max(size, FileReader.bufferSize)), !chunk.isEmpty {
      if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
    }
    return bytes
  }

  /// Names in a folder, sorted by their bytes, without `.` and `..`.
  ///
  /// Bytes that are not UTF-8 are written like `\xE9`; such a name cannot be used in a path.
  public static func list(_ folder: String) throws -> [String] { try names(in: folder).map(\.shown) }

  /// As `list`, with the names as the system has them.
  static func names(in folder: String) throws -> [FileName] { try names(in: Array(folder.utf8), shown: folder) }

  private static func names(in folder: [UInt8], shown: String) throws -> [FileName] {
    guard let stream = withCString(folder, { opendir($0) }) else { throw Failure.system("cannot list", shown) }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8) { names.append(name) }
    }
    if errno != 0 { throw Failure.system("cannot list", shown) }
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map(FileName.init)
  }

  /// Paths may hold any bytes.
  private static func withCString<Result>(_ path: [UInt8], _ call: (UnsafePointer<CChar>) -> Result) -> Result {
    (path + [0]).withUnsafeBytes { call($0.assumingMemoryBound(to: CChar.self).baseAddress!) }
  }

  /// Makes a folder and the folders above it; an existing one is left as it is.
  public static func makeFolder(_ path: String) throws {
    var code = mkdir(path, 0o777) == 0 ? 0 : errno
    // Only if the folder above is missing: in /proc, or in a current folder that was removed, making a folder fails
    // although the one above exists.
    if code == ENOENT || code == ENOTDIR, case let parent = folder(of: path), parent != path,
      try status(parent)?.isFolder != true
    {
      try makeFolder(parent)
      code = mkdir(path, 0o777) == 0 ? 0 : errno
    }
    if code == 0 { return }
    // Another process may have made it meanwhile, and some file systems report other errors for an existing folder.
    if try status(path)?.isFolder == true { return }
    if code == EEXIST { throw Failure(.outputExists, "is not a folder; a folder is needed here", at: path) }
    throw Failure(.inputOutput, "cannot make the folder: \(String(cString: strerror(code)))", at: path)
  }

  /// Replaces `new` if it is a file, or an empty folder where `old` is a folder.
  public static func rename(_ old: String, to new: String) throws {
    if Glibc.rename(old, new) != 0 { throw Failure.system("cannot rename to \(new)", old) }
  }

  /// Removes a file, or a folder with everything in it, without following links. Does nothing where there is none.
  public static func remove(_ path: String) throws { try remove(Array(path.utf8)) }

  private static func remove(_ path: [UInt8]) throws {
    func check(_ outcome: Int32) throws {
      let code = errno
      if outcome != 0 && code != ENOENT {
        throw Failure.system("cannot remove", escapingInvalidUTF8(path), code: code)
      }
    }
    var status = stat()
    let found = withCString(path) { lstat($0, &status) }
    try check(found)
    guard found == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else { return try check(withCString(path) { unlink($0) }) }
    for name in try names(in: path, shown: escapingInvalidUTF8(path)) {
      try remove(path + [UInt8(ascii: "/")] + name.bytes)
    }
    try check(withCString(path) { rmdir($0) })
  }

  /// Makes a symbolic link, and replaces an existing one.
  public static func link(_ path: String, to target: String) throws {
    try AtomicFile.replace(path) { temporary in
      guard symlink(target, temporary) == 0 else { throw Failure.system("cannot make the link", path) }
    }
  }

  /// The target of a symbolic link; nil where there is no link.
  public static func target(ofLink path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Waits until a file's content, or a folder's list of names, is on the disk.
  public static func synchronise(_ path: String) throws {
    let descriptor = retryingOnInterruption { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Failure.system("cannot open", path) }
    defer { close(descriptor) }
    // EINVAL comes from file systems that cannot synchronise folders, where there is nothing to wait for.
    if retryingOnInterruption({ fsync(descriptor) }) != 0 && errno != EINVAL {
      throw Failure.system("cannot write to disk", path)
    }
  }

  /// Synchronises everything in a folder, and the folder.
  public static func synchroniseTree(_ folder: String) throws {
    for name in try names(in: folder).compactMap(\.text) {
      let path = "\(folder)/\(name)"
      if try status(path)?.isFolder == true { try synchroniseTree(path) } else { try synchronise(path) }
    }
    try synchronise(folder)
  }

  /// Paths of all files below a folder, relative to it, sorted by their bytes.
  public static func tree(_ folder: String) throws -> [String] {
    var paths: [String] = []
    for name in try list(folder) {
      if try status("\(folder)/\(name)")?.isFolder == true {
        paths += try tree("\(folder)/\(name)").map { "\(name)/\($0)" }
      } else {
        paths.append(name)
      }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The absolute path with all links resolved. Where nothing exists, only the existing folders above are resolved.
  public static func resolved(_ path: String) throws -> String {
    if let resolved = realpath(path, nil) {
      defer { free(resolved) }
      return String(cString: resolved)
    }
    guard errno == ENOENT || errno == ENOTDIR else { throw Failure.system("cannot look at it", path) }
    let parent = try resolved(folder(of: path))
    return parent == "/" ? "/\(name(of: path))" : "\(parent)/\(name(of: path))"
  }

  /// The folder a path lies in: `a` of `a/b`, `.` of `b`.
  public static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last component of a path.
  public static func name(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// Whether a path names something below the folder it is relative to: not absolute, no `..`, no empty component.
  public static func isPlainRelative(_ path: String) -> Bool {
    path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { component in
      !component.isEmpty && !component.elementsEqual(".".utf8) && !component.elementsEqual("..".utf8)
        && !component.contains(0)
    }
  }
}

/// Makes a system call again when a signal interrupted it: the programs install handlers for SIGINT and SIGTERM.
func retryingOnInterruption<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
