import Artifacts
import Diagnostics

extension GGUFWriter {
  /// Writes a file as it is, byte for byte, with further metadata after its own.
  ///
  /// Metadata stands before the tensors, whose places count from where their data begin: so those may be anywhere as
  /// long as they are aligned.
  ///
  /// - Throws: `Failure(.badData)` where the file has an entry of the same name.
  public static func copy(_ file: GGUFFile, adding entries: [(key: String, value: Value)], to path: String) throws {
    for (key, _) in entries where file.metadata[key] != nil {
      throw file.metadata.failure(key, "is there already")
    }
    let parts = file.parts
    let writer = try FileWriter(path)
    try putHeader(
      version: parts.version, tensors: file.tensors.count, entries: file.metadata.keys.count + entries.count, writer)
    try writer.write(file.bytes(parts.metadata))
    try put(entries, writer)
    try writer.write(file.bytes(parts.tensorHeads))
    try pad(writer, to: parts.alignment)
    try writer.write(file.bytes(parts.data))
    try writer.synchronise()
    try writer.close()
  }
}
