import Glibc

/// Replaces files in one step: whenever the machine stops, a file holds the old content or the new one, never a part.
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

  /// Drawn, because machines that share a disk give out the same process ids.
  static func temporaryName(for path: String) -> String {
    "\(path).\(String(UInt64.random(in: 0...UInt64.max), radix: 36)).new"
  }

  public static func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }

  /// Puts a file in the place of another that a name may have.
  ///
  /// - Parameter make: makes the file, under a name of its own beside the final one, and brings it to the disk. Where it
  ///   throws, no file is left under that name.
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
