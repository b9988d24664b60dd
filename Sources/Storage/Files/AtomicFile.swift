import Glibc

/// Replaces files in one step: even if the machine stops, a file holds the old or the new content, never a part.
public enum AtomicFile {
  /// Writes beside the file, waits for the disk, and renames.
  public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    try replace(path) { temporary in
      let writer = try FileWriter(temporary)
      try writer.write(bytes)
      try writer.synchronise()
      try writer.close()
    }
    try Files.synchronise(Files.folder(of: path))
  }

  /// Random, because process ids are not unique among machines that share a disk.
  static func temporaryName(for path: String) -> String {
    "\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).new"
  }

  public static func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }

  /// Replaces the file of a name, if there is one.
  ///
  /// - Parameter make: makes the file under a temporary name beside the final one, and synchronises it to the disk. If
  ///   it throws, the temporary file is removed.
  public static func replace(_ path: String, by make: (_ temporary: String) throws -> Void) throws {
    let temporary = temporaryName(for: path)
    do {
      try make(temporary)
      try Files.rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
  }
}
