import Glibc

/// Replaces files in one step: whenever the machine stops, a file holds the old content or the new one, never a part.
public enum AtomicFile {
  /// Writes beside the file under a name of this process, waits for the disk, and renames.
  public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    let temporary = "\(path).\(getpid()).new"
    do {
      let writer = try FileWriter(temporary)
      try writer.write(bytes)
      try writer.synchronise()
      try writer.close()
      try Files.rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
    try Files.synchronise(Files.folder(of: path))
  }

  public static func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }
}
