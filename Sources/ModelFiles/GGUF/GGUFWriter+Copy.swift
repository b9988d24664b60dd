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
    try writer.write(GGUFFile.magic)
    try writer.write(littleEndian: parts.version)
    try writer.write(littleEndian: UInt64(file.tensors.count))
    try writer.write(littleEndian: UInt64(file.metadata.keys.count + entries.count))
    try writer.write(file.bytes(parts.metadata))
    try put(entries, writer)
    try writer.write(file.bytes(parts.tensorHeads))
    let end = (writer.position + parts.alignment - 1) / parts.alignment * parts.alignment
    try writer.write([UInt8](repeating: 0, count: end - writer.position))
    try writer.write(file.bytes(parts.data))
    try writer.synchronise()
    try writer.close()
  }
}
